/** The compose file, read as Docker would: its services are ours, with variables that they read and files that are there. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SERVICES } from '@facet/cli';
import { ServiceConfig } from '@facet/runtime';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { build, environmentOf, workloadsOf } from './build.fixture.js';
import { programsFound } from '@facet/local';

interface ComposeService {
  readonly image: string;
  readonly build?: {
    readonly context: string;
    readonly dockerfile: string;
    readonly args: { SERVICE: string };
  };
  readonly environment: Readonly<Record<string, string>>;
  readonly volumes: readonly string[];
  readonly ports?: readonly string[];
  readonly read_only?: boolean;
  readonly user: string;
}

const FILE = fileURLToPath(new URL('../../../infra/compose/compose.yaml', import.meta.url));
const CREDENTIALS = '/var/run/facet/credentials';
const { services } = parse(await readFile(FILE, 'utf8'), { merge: true }) as {
  services: Readonly<Record<string, ComposeService>>;
};

it('has every service of a cluster, NATS and MinIO', () => {
  const names = [...SERVICES.map(({ name }) => name), 'nats', 'minio'];
  expect(Object.keys(services).sort()).toEqual(names.sort());
});

it.each(SERVICES.map(({ name }) => name))(
  '%s is its own image, with its own credentials and what it reads',
  (name) => {
    const { image, build: made, environment, volumes, read_only: readOnly, user } = services[name];
    expect(image).toMatch(new RegExp(`^facet/${name}:`));
    expect(made?.args).toEqual({ SERVICE: name });
    expect(existsSync(join(dirname(FILE), made!.context, made!.dockerfile))).toBe(true);
    expect(volumes).toEqual([`./access/${name}:${CREDENTIALS}:ro`]);
    expect([readOnly, user]).toEqual([true, expect.stringContaining('FACET_UID')]);
    const { secrets = [] } = SERVICES.find((service) => service.name === name)!;
    const files = ['nats.seed', 's3.access-key', 's3.secret-key', ...secrets];
    const mounted = Object.values(environment).filter((value) => value.startsWith(CREDENTIALS));
    expect(mounted.sort()).toEqual(files.map((file) => `${CREDENTIALS}/${file}`).sort());
    const known = [...Object.keys(ServiceConfig.shape), ...(secrets.length > 0 ? ['FACET_LINK_KEY'] : [])];
    for (const variable of Object.keys(environment).filter((one) => one.startsWith('FACET_')))
      expect(known, variable).toContain(variable.replace(/_FILE$/, ''));
  },
);

it('opens ports on this machine alone, and mounts files that are there or that `facet access` makes', () => {
  for (const { ports = [], volumes } of Object.values(services)) {
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
    for (const volume of volumes) {
      const [host] = volume.split(':');
      if (!/^\.\/(access|data)\//.test(host)) expect(existsSync(join(dirname(FILE), host)), host).toBe(true);
    }
  }
});

it.skipIf(!programsFound('kustomize'))('runs the servers that the small cluster runs', () => {
  const manifests = build('overlays/local');
  for (const name of ['nats', 'minio']) {
    const workload = workloadsOf(manifests).find(({ metadata }) => metadata.name === name)!;
    expect(workload.spec!.template.spec!.containers[0].image).toBe(services[name].image);
    if (name === 'minio')
      expect(services[name].environment).toMatchObject({
        MINIO_BROWSER: environmentOf(workload, manifests)['MINIO_BROWSER'],
      });
  }
});
