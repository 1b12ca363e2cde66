/** NATS' configuration, taken by the real server: one alone, and three of them that lose one. */
import { execFileSync } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectNats, ensureStream, NatsBus } from '@facet/bus';
import { type Access, prepareAccess, SERVICES } from '@facet/cli';
import { STREAMS } from '@facet/contracts';
import {
  type CertificateFiles,
  freePort,
  LocalServer,
  makeCertificates,
  needProgram,
  programsFound,
} from '@facet/local';
import { encodeEvent, VOCABULARY } from '@facet/runtime';
import { jetstreamManager } from '@nats-io/jetstream';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

const REPLICAS = 3;
const FILES = [
  ['nats', 'nats.conf'],
  ['nats-cluster', 'cluster.conf'],
] as const;

describe.skipIf(!programsFound('nats-server'))('the configuration of NATS', () => {
  let folder: string;
  let access: Access;
  let tls: CertificateFiles;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'facet-nats-'));
    access = await prepareAccess(join(folder, 'access'), 'facet', SERVICES);
    tls = await makeCertificates(join(folder, 'certificates'));
    await writeConfiguration(folder);
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** The files as a pod has them, with what it mounts elsewhere in folders of this machine. */
  async function writeConfiguration(into: string): Promise<void> {
    await copyFile(access.natsUsersFile, join(into, 'nats-users.conf'));
    for (const [component, name] of FILES) {
      const path = fileURLToPath(new URL(`../../../k8s/components/${component}/${name}`, import.meta.url));
      const here = (await readFile(path, 'utf8'))
        .replaceAll('/etc/nats-tls/tls.crt', tls.certificate)
        .replaceAll('/etc/nats-tls/tls.key', tls.key)
        .replaceAll('/etc/nats-tls/ca.crt', tls.ca)
        .replace('store_dir: /data', `store_dir: ${JSON.stringify(join(into, 'data'))}`)
        .replace('/tmp/nats.pid', join(into, 'nats.pid'));
      await writeFile(join(into, name), here);
    }
  }

  it.each(['nats.conf', 'cluster.conf'])('%s is one that the server takes', (name) => {
    const env = { ...process.env, NATS_SERVER_NAME: 'nats-0' };
    const check = () =>
      execFileSync(needProgram('nats-server'), ['-t', '-c', join(folder, name)], { stdio: 'pipe', env });
    expect(check).not.toThrow();
  });

  describe('of three servers', () => {
    const servers: LocalServer[] = [];
    let urls: string;
    let bus: NatsBus;
    const connection = async () => ({
      url: urls,
      name: 'admin',
      seed: await readFile(access.administrator.seedFile, 'utf8'),
      ca: await readFile(tls.ca, 'utf8'),
    });

    beforeAll(async () => {
      const routePorts = await Promise.all(Array.from({ length: REPLICAS }, () => freePort()));
      const routes = routePorts.map((port) => `nats-route://127.0.0.1:${port}`).join();
      const started = routePorts.map(async (routePort, index) => {
        const monitorPort = await freePort();
        return LocalServer.start({
          name: `nats-${index}`,
          async command(port, own) {
            await writeConfiguration(own);
            // What three servers on one machine cannot share.
            const listen = [
              '--addr',
              '127.0.0.1',
              '--port',
              String(port),
              '--http_port',
              String(monitorPort),
            ];
            const route = ['--cluster', `nats://127.0.0.1:${routePort}`, '--routes', routes];
            return {
              path: needProgram('nats-server'),
              args: ['--config', join(own, 'cluster.conf'), ...listen, ...route],
              env: { NATS_SERVER_NAME: `nats-${index}` },
            };
          },
          async probe() {
            // As the pod's startup probe.
            const response = await fetch(`http://127.0.0.1:${monitorPort}/healthz`);
            if (!response.ok) throw new Error(`/healthz says ${response.status}`);
          },
        });
      });
      servers.push(...(await Promise.all(started)));
      urls = servers.map(({ port }) => `tls://127.0.0.1:${port}`).join();
      const administrator = await connectNats(await connection());
      const jsm = await jetstreamManager(administrator);
      for (const stream of STREAMS) await ensureStream(jsm, stream, REPLICAS);
      await administrator.close();
      bus = await NatsBus.connect(await connection(), STREAMS);
    });
    afterAll(async () => {
      await bus.close();
      await Promise.all(servers.map((server) => server.stop()));
    });

    it('has every stream on each of them, and none of their addresses in what it tells clients', async () => {
      const administrator = await connectNats(await connection());
      const jsm = await jetstreamManager(administrator);
      for (const { name } of STREAMS) {
        const { config, cluster } = await jsm.streams.info(name);
        expect([config.num_replicas, cluster?.replicas?.length], name).toEqual([REPLICAS, REPLICAS - 1]);
      }
      expect(administrator.info?.connect_urls ?? []).toEqual([]);
      await administrator.close();
    });

    it('loses no message with the one that leads, and goes on without it', async () => {
      const publish = (id: string) =>
        bus.publish(
          encodeEvent(VOCABULARY, {
            ...{ id, type: 'model.published', source: '/test', time: '2026-01-01T00:00:00Z' },
            data: { model: { name: 'm', version: '1' }, digest: 'a'.repeat(64) },
          }),
        );
      await publish('before');
      const before = await connectNats(await connection());
      const { cluster } = await (await jetstreamManager(before)).streams.info('FACET_EVENTS');
      await before.close();
      await servers[Number(cluster?.leader?.split('-')[1])].kill();
      // While leaders are elected, nobody answers.
      const patience = { timeout: 45_000, interval: 100 };
      await vi.waitFor(() => publish('after'), patience);
      const after = await connectNats(await connection());
      const jsm = await jetstreamManager(after, { checkAPI: false });
      const info = await vi.waitFor(() => jsm.streams.info('FACET_EVENTS'), patience);
      expect(info.state.messages).toBe(2);
      expect(info.cluster?.leader).not.toBe(cluster?.leader);
      await after.close();
    });
  });
});
