/**
 * The services' images in the environment of their pods: what a Deployment says must be what its service takes. Each is
 * pruned into an empty folder and started with the manifest's variables alone, against real servers.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { connectNats, ensureStream } from '@facet/bus';
import { STREAMS } from '@facet/contracts';
import { prune } from '@facet/images';
import {
  freePort,
  type LocalNats,
  type LocalS3,
  programsFound,
  startNats,
  startVersitygw,
} from '@facet/local';
import { ensureBucket } from '@facet/store';
import { jetstreamManager } from '@nats-io/jetstream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { build, environmentOf, type Workload, workloadsOf } from './build.fixture.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SECRETS = '/var/run/facet';
const START_LIMIT_MS = 45_000;

const there = programsFound('kustomize', 'nats-server', 'versitygw');

describe.skipIf(!there)('a pod', () => {
  const manifests = there ? build('overlays/local') : [];
  const services = workloadsOf(manifests).filter(({ kind }) => kind === 'Deployment');
  let folder: string;
  let nats: LocalNats;
  let s3: LocalS3;
  const children: ChildProcess[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'facet-pods-'));
    [nats, s3] = await Promise.all([startNats(), startVersitygw()]);
    const connection = await connectNats({ url: nats.url, name: 'test' });
    const manager = await jetstreamManager(connection);
    for (const stream of STREAMS) await ensureStream(manager, stream, 1);
    await connection.close();
    const { url, accessKey, secretKey } = s3;
    await ensureBucket({ url, accessKey, secretKey, bucket: 'facet' });
    await mkdir(join(folder, 'credentials'));
    await writeFile(join(folder, 'credentials', 's3.access-key'), `${accessKey}\n`);
    await writeFile(join(folder, 'credentials', 's3.secret-key'), `${secretKey}\n`);
  });
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    await Promise.all([nats.server.stop(), s3.server.stop()]);
    await rm(folder, { recursive: true, force: true });
  });

  /** The pod's own variables, with the servers' addresses and the mounted files as they are here. */
  function environmentHere(workload: Workload, healthPort: number): Record<string, string> {
    const own = environmentOf(workload, manifests);
    const mounted = Object.entries(own).map(([name, value]) => [name, value.replace(SECRETS, folder)]);
    const here = { FACET_NATS_URL: nats.url, FACET_S3_URL: s3.url, FACET_HEALTH_PORT: String(healthPort) };
    for (const name of Object.keys(here)) expect(own, workload.metadata.name).toHaveProperty([name]);
    return { ...(Object.fromEntries(mounted) as Record<string, string>), ...here };
  }

  async function answers(url: string, alive: () => boolean): Promise<number> {
    const end = Date.now() + START_LIMIT_MS;
    for (;;) {
      const status = await fetch(url).then(
        (response) => response.status,
        () => 0,
      );
      if (status === 200 || !alive() || Date.now() > end) return status;
      await pause(50);
    }
  }

  const named = services.map((workload) => [workload.metadata.name, workload] as const);
  const isBuilt = (name: string) => existsSync(join(ROOT, 'services', name));

  it.each(named.filter(([name]) => isBuilt(name)))(
    'of %s starts, is ready and alive, and drains',
    async (name, workload) => {
      const out = join(folder, name);
      await prune({ root: ROOT, service: name, out, platform: process.platform, arch: process.arch });
      const port = await freePort();
      const child = spawn(process.execPath, [join(out, 'main.mjs')], {
        cwd: folder,
        env: environmentHere(workload, port),
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      children.push(child);
      let said = '';
      child.stderr.on('data', (text: Buffer) => (said += text.toString()));
      const alive = () => child.exitCode === null;
      expect(await answers(`http://127.0.0.1:${port}/livez`, alive), said).toBe(200);
      expect(await answers(`http://127.0.0.1:${port}/readyz`, alive), said).toBe(200);
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      expect(await ended, said).toEqual([0, null]);
    },
  );
});
