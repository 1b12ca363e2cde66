/** The collector's configuration, as far as it can be read without one; `npm run test:platform` runs it. */
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { COLLECTOR_CONFIG } from './files.js';

type Components = Readonly<Record<string, unknown>>;
interface Config {
  readonly receivers: Components;
  readonly processors: Components & {
    readonly tail_sampling: { readonly decision_wait: string; readonly policies: readonly object[] };
  };
  readonly exporters: Components;
  readonly connectors: Components;
  readonly extensions: Components;
  readonly service: {
    readonly pipelines: Readonly<
      Record<string, { readonly processors: readonly string[]; readonly exporters: readonly string[] }>
    >;
  };
}
type Manifest = Readonly<Record<string, readonly { readonly gomod: string }[]>>;

const read = async (path: string | URL): Promise<unknown> => parse(await readFile(path, 'utf8'));
const config = (await read(COLLECTOR_CONFIG)) as Config;
const manifest = (await read(new URL('../../local/otelcol-facet.yaml', import.meta.url))) as Manifest;

it('names nothing that the collector of the tests lacks, which has nothing more', () => {
  for (const kind of ['receivers', 'processors', 'exporters', 'connectors', 'extensions'] as const) {
    const named = Object.keys(config[kind]).map((name) => name.split('/')[0].replaceAll('_', ''));
    const built = manifest[kind].map(
      ({ gomod }) => /\/([a-z]+?)(receiver|processor|exporter|connector|extension) v/.exec(gomod)?.[1],
    );
    expect([...new Set(named)].toSorted(), kind).toEqual(built.toSorted());
  }
});

it('measures all spans, and samples only what is stored', () => {
  const { pipelines } = config.service;
  expect(pipelines['traces/all']).toMatchObject({ exporters: ['spanmetrics'] });
  expect(pipelines['traces/all'].processors).not.toContain('tail_sampling');
  expect(pipelines['traces/sampled'].processors).toContain('tail_sampling');
});

it('calls long what is a little shorter than the time after which it decides', () => {
  const { decision_wait: wait, policies } = config.processors.tail_sampling;
  const minutes = Number(/:-(\d+)m\}$/.exec(wait)?.[1]);
  const ms = Number(/"threshold_ms":"\$\{env:LONG_MS:-(\d+)\}"/.exec(JSON.stringify(policies))?.[1]);
  expect(ms).toBeLessThan(minutes * 60_000);
  expect(ms).toBeGreaterThan(minutes * 30_000);
});
