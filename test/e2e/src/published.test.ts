/**
 * Models and photographs that others published, as the example for them says. Needs the folder FACET_CASES, which this
 * repository does not hold.
 */
import { copyFile, cp, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { keys, ModelManifest, Report } from '@facet/contracts';
import { decodePng, readShard } from '@facet/datasets';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { facet, scratch } from './facet.js';
import { writeFiles } from './inputs.fixture.js';

const CASES = process.env['FACET_CASES'];
const EXAMPLES = fileURLToPath(new URL('../../../examples/', import.meta.url));

const MODELS = [
  ['minifas', 'minifas.onnx', 'minifas.manifest.json'],
  ['antispoofing-bin', 'AntiSpoofing_bin_1.5_128.onnx', 'antispoofing.manifest.json'],
] as const;

const planOf = (name: string, objectives: string[], epsilons: string[]) => ({
  schema: 'facet.plan/v1',
  name,
  seed: 1,
  samples: 3,
  batch: 3,
  shard: 3,
  attacks: [
    {
      facets: ['live', 'spoof-type'],
      objectives,
      searches: [{ name: 'pgd', steps: 10 }],
      threats: epsilons.map((epsilon) => ({ norm: 'linf', epsilon })),
    },
  ],
});

/** The names of the elements of an XML document in order. @throws where tags do not match or text is not escaped. */
function elementsOf(xml: string): string[] {
  const open: string[] = [];
  const names: string[] = [];
  const rest = xml
    .replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>/, '')
    .replace(
      /<(\/?)([a-z]+)((?: [a-z.]+="[^"<>]*")*)(\/?)>/g,
      (_, end: string, name: string, __, empty: string) => {
        if (end !== '') expect(open.pop()).toBe(name);
        else names.push(name);
        if (end === '' && empty === '') open.push(name);
        return '';
      },
    );
  expect(open).toEqual([]);
  expect(rest.trim()).toBe('');
  return names;
}

describe.skipIf(!CASES)('published models on three photographs (FACET_CASES)', () => {
  let folder: Awaited<ReturnType<typeof scratch>>;
  let example: string;

  beforeAll(async () => {
    folder = await scratch();
    const name = (await readdir(EXAMPLES)).find((entry) => entry.endsWith('-published-model'))!;
    example = join(EXAMPLES, name);
    await mkdir(folder.path('photographs'));
    await writeFiles(folder.path(), {
      'attack.json': planOf('attack', ['direct', 'facet', 'sfa'], ['2/255', '8/255']),
      'direct.json': planOf('direct', ['direct'], ['2/255']),
    });
    for (const photograph of ['live.jpg', 'print.jpg', 'replay.jpg'])
      await copyFile(join(CASES!, 'published', photograph), folder.path('photographs', photograph));
    await cp(join(example, 'dataset.json'), folder.path('photographs', 'dataset.json'));
  });
  afterAll(() => folder.remove());

  describe.each(MODELS)('%s', (name, file, manifestFile) => {
    let report: Report;
    const out = () => folder.path(name);
    const evaluate = (plan: string, ...more: string[]) =>
      facet([
        ...[
          'evaluate',
          '--model',
          join(CASES!, 'published', file),
          '--manifest',
          join(example, manifestFile),
        ],
        ...['--dataset', folder.path('photographs'), '--out', out(), '--plan', folder.path(plan), ...more],
      ]);
    const readReport = async (): Promise<Report> =>
      Report.parse(JSON.parse(await readFile(join(out(), 'report.json'), 'utf8')));

    it('decides as its authors say, and is attacked', async () => {
      const { code, stderr } = await evaluate('attack.json');
      expect(code, stderr).toBe(0);
      report = await readReport();
      expect(report.clean).toMatchObject({
        samples: 3,
        live: 1,
        spoof: 2,
        accuracy: 1,
        thresholdSource: 'boundary',
        apcer: 0,
        bpcer: 0,
      });
      expect(report.notes.join()).toContain('0 live and 0 spoof samples; a prior needs');
      expect(report.facets.every(({ probeAccuracy }) => probeAccuracy === null)).toBe(true);
      const objectives = new Set(report.cells.map(({ objective }) => objective));
      expect([...objectives].sort()).toEqual(['direct', 'facet']);
      expect(report.cells.every(({ attempted }) => attempted === 3)).toBe(true);
      const strongest = report.cells.filter(
        ({ objective, search, epsilon }) =>
          objective === 'direct' && search === 'pgd-10' && epsilon > 7 / 255,
      );
      expect(strongest.map(({ succeeded }) => succeeded)).toEqual([3]);
    });

    it('decides otherwise on the stored images by itself, without a line of ours', async () => {
      const manifest = ModelManifest.parse(JSON.parse(await readFile(join(example, manifestFile), 'utf8')));
      const session = await InferenceSession.create(join(CASES!, 'published', file));
      const { height, width } = manifest.input;
      const isLive = async (png: Uint8Array): Promise<boolean> => {
        const { data } = await decodePng(png);
        const plane = height * width;
        const pixels = Float32Array.from(
          { length: 3 * plane },
          (_, i) => data[3 * (i % plane) + Math.floor(i / plane)] / 255,
        );
        const input = new Tensor('float32', pixels, [1, 3, height, width]);
        const results = await session.run({ [manifest.input.name]: input });
        const [live, spoof] = results[manifest.output.name].data as Float32Array;
        return live >= spoof;
      };
      for (const { id, succeeded } of report.cells) {
        const tar = await readFile(join(out(), 'store', keys.evaluation.images(report.evaluation, id, 0)));
        let flipped = 0;
        for await (const { png, labels } of readShard(tar))
          if ((await isLive(png)) !== (labels.label === 'live')) flipped++;
        expect({ id, flipped }).toEqual({ id, flipped: succeeded });
      }
      await session.release();
    });

    it('fails the policy of the example, for machines too', async () => {
      const { code, stdout, stderr } = await evaluate(
        'direct.json',
        '--policy',
        join(example, 'policy.yaml'),
      );
      expect(code, stderr).toBe(3);
      expect(stdout).toContain('Policy production: FAILED');
      const { verdict } = await readReport();
      expect(verdict).toMatchObject({ policy: 'production', passed: false });
      const failing = verdict.checks.filter(({ passed }) => !passed);
      const xml = await readFile(join(out(), 'report.junit.xml'), 'utf8');
      const elements = elementsOf(xml);
      expect(elements.filter((element) => element === 'testcase')).toHaveLength(verdict.checks.length);
      expect(elements.filter((element) => element === 'failure')).toHaveLength(failing.length);
      for (const { actual, limit } of failing)
        expect(xml).toContain(`<failure message="actual ${actual}, limit ${limit}" type="policy"/>`);
    });
  });
});
