/** The compose file of observability: no Docker runs here, so what can be read is checked. */
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { dashboards } from './dashboards/index.js';
import { PROMETHEUS_CONFIG } from './files.js';

const folder = fileURLToPath(new URL('../../compose', import.meta.url));
const read = async (path: string): Promise<unknown> => parse(await readFile(path, 'utf8'), { merge: true });

interface Compose {
  readonly services: Readonly<Record<string, { readonly image?: string; readonly volumes?: string[] }>>;
}
const set = (await read(join(folder, 'compose.yaml'))) as Compose;
const more = (await read(join(folder, 'observability.yaml'))) as Compose;
const services = Object.keys({ ...set.services, ...more.services });

/** Names of hosts in addresses such as `http://tempo:3200` and `minio:9000`. */
const hostsOf = (text: string): string[] =>
  [...text.matchAll(/(?:^|["' /[])([a-z][a-z-]*):\d{4,5}\b/gm)].map(([, host]) => host);

it('mounts files that are there, and pins its images', async () => {
  for (const [name, { image, volumes = [] }] of Object.entries(more.services)) {
    if (name in set.services) continue;
    expect(image, name).toMatch(/:v?\d+\.\d+\.\d+$/);
    for (const volume of volumes.filter((one) => one.startsWith('.')))
      await access(join(folder, volume.split(':')[0]));
  }
});

it('has every server that is named in what it mounts', async () => {
  const files = [
    PROMETHEUS_CONFIG,
    ...['../collector.yaml', '../grafana/provisioning/datasources/facet.yaml'].map((name) =>
      fileURLToPath(new URL(name, import.meta.url)),
    ),
  ];
  for (const file of files) {
    const hosts = hostsOf((await readFile(file, 'utf8')).replaceAll(/:-([^}]*)\}/g, ' $1'));
    expect(hosts.length, file).toBeGreaterThan(0);
    for (const host of hosts) expect(services, file).toContain(host);
  }
});

it('gives Grafana every source that a dashboard asks', async () => {
  const file = fileURLToPath(new URL('../grafana/provisioning/datasources/facet.yaml', import.meta.url));
  const { datasources } = (await read(file)) as { datasources: { uid: string; type: string }[] };
  const known = datasources.map(({ uid, type }) => `${type} ${uid}`);
  const asked = [...JSON.stringify(dashboards()).matchAll(/"datasource":\{"type":"(\w+)","uid":"(\w+)"\}/g)];
  expect(asked.length).toBeGreaterThan(0);
  for (const [, type, uid] of asked) expect(known).toContain(`${type} ${uid}`);
});
