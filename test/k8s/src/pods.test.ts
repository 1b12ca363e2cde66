/**
 * The services' images in the environment of their pods: what a Deployment says must be what its service takes. Each is
 * pruned into an empty folder and started with the manifest's variables and its own credentials alone, against real
 * servers; together they evaluate a model, as one trace through every process.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NatsBus } from '@facet/bus';
import { saveStanding } from '@facet/catalog';
import { type Access, bootstrap, prepareAccess, SERVICES } from '@facet/cli';
import { Collector } from '@facet/collector';
import { EvaluationPlan, factSubject, STREAMS } from '@facet/contracts';
import { prune } from '@facet/images';
import { type LocalNats, type LocalS3, programsFound, startMinio, startNats } from '@facet/local';
import {
  Connections,
  decodeEvent,
  encodeEvent,
  readConfig,
  type ReceivedEvent,
  VOCABULARY,
} from '@facet/runtime';
import { S3Store } from '@facet/store';
import { inSpan, sending, startTelemetry } from '@facet/telemetry';
import { openWorld } from '@facet/world';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { build, environmentOf, type Workload, workloadsOf } from './build.fixture.js';
import { Pod } from './pod.fixture.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const CREDENTIALS = '/var/run/facet/credentials';
const LIMIT_MS = 180_000;

const plan = EvaluationPlan.parse({
  schema: 'facet.plan/v1',
  name: 'small',
  seed: 5,
  samples: 8,
  batch: 4,
  shard: 4,
  priorSamples: 60,
  attacks: [
    {
      facets: ['depth', 'reflection'],
      objectives: ['facet'],
      searches: [{ name: 'fgsm' }],
      threats: [{ norm: 'linf', epsilon: '8/255' }],
    },
  ],
});
const SHARDS = 2 * 2;

const there = programsFound('kustomize', 'nats-server', 'minio', 'mc');

describe.skipIf(!there)('the pods of a small cluster', () => {
  const manifests = there ? build('overlays/local') : [];
  const services = workloadsOf(manifests)
    .filter(({ kind }) => kind === 'Deployment')
    .map((workload) => [workload.metadata.name, workload] as const);
  const pods = new Map<string, Pod>();
  let folder: string;
  let access: Access;
  let nats: LocalNats;
  let s3: LocalS3;
  let collector: Collector;
  let bus: NatsBus;
  let store: S3Store;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'facet-pods-'));
    access = await prepareAccess(join(folder, 'access'), 'facet', SERVICES);
    const { administrator, natsUsersFile } = access;
    [nats, s3, collector] = await Promise.all([
      startNats({ config: await readFile(natsUsersFile, 'utf8') }),
      startMinio({ administrator }),
      Collector.open(),
    ]);
    const connections = readConfig(Connections, {
      FACET_NATS_URL: nats.url,
      FACET_NATS_SEED_FILE: administrator.seedFile,
      FACET_S3_URL: s3.url,
      FACET_S3_ACCESS_KEY_FILE: administrator.accessKeyFile,
      FACET_S3_SECRET_KEY_FILE: administrator.secretKeyFile,
    });
    await bootstrap({ connections, replicas: 1, access, say: () => undefined });
    store = new S3Store({ url: s3.url, bucket: 'facet', ...administrator });
    const seed = connections.FACET_NATS_SEED;
    bus = await NatsBus.connect({ url: nats.url, name: 'admin', ...(seed && { seed }) }, STREAMS);
    for (const [name, workload] of services) {
      const out = join(folder, name);
      await prune({ root: ROOT, service: name, out, platform: process.platform, arch: process.arch });
      pods.set(name, await Pod.start(join(out, 'main.mjs'), environmentHere(workload)));
    }
  }, LIMIT_MS);
  afterAll(async () => {
    for (const pod of pods.values()) pod.kill();
    store.close();
    await bus.close();
    await Promise.all([nats.server.stop(), s3.server.stop(), collector.close()]);
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true, force: true });
  });

  /** The pod's own variables, with the servers' addresses and its mounted credentials as they are here. */
  function environmentHere(workload: Workload): Record<string, string> {
    const own = environmentOf(workload, manifests);
    const secrets = join(folder, 'access', workload.metadata.name);
    const mounted = Object.entries(own).map(([name, value]) => [name, value.replace(CREDENTIALS, secrets)]);
    const here = { FACET_NATS_URL: nats.url, FACET_S3_URL: s3.url };
    for (const name of Object.keys(here)) expect(own, workload.metadata.name).toHaveProperty([name]);
    const ours = { ...collector.environment, FACET_THREADS: '1', FACET_HTTP_PORT: '0' };
    return { ...(Object.fromEntries(mounted) as Record<string, string>), ...here, ...ours };
  }

  it('are of the services that have credentials, all of them', () => {
    expect(services.map(([name]) => name).sort()).toEqual(SERVICES.map(({ name }) => name).sort());
  });

  it.each(services)('of %s is alive and ready', async (name) => {
    const pod = pods.get(name)!;
    expect(await pod.answers('/livez'), pod.said).toBe(200);
    expect(await pod.answers('/readyz'), pod.said).toBe(200);
  });

  it(
    'evaluate a model as one trace through every process, and drain when they are asked to end',
    async () => {
      const world = await openWorld({ train: 60, dev: 16, test: 8 });
      for await (const { key } of world.store.list(''))
        await store.put(key, await (await world.store.get(key))!.bytes());
      const { model, dataset, published } = world;
      const name = 'always';
      await saveStanding(store, { schema: 'facet.standing/v1', name, models: 'network', dataset, plan });

      for (const [variable, value] of Object.entries(collector.environment)) vi.stubEnv(variable, value);
      const log = { warn: expect.unreachable };
      const telemetry = await startTelemetry({ service: 'publisher', version: '0', log });
      const request = encodeEvent(VOCABULARY, {
        id: 'first',
        type: 'model.published',
        source: '/test',
        time: '2026-01-01T00:00:00Z',
        data: { model, digest: published.digest },
      });
      await inSpan('publish a model', {}, () => sending(request, (traced) => bus.publish(traced)));
      const end = await ending();
      expect(end).toMatchObject({ type: 'evaluation.completed', data: { model, dataset } });
      await telemetry.close();
      await world.close();

      for (const [service, pod] of pods)
        expect(await pod.end(), `${service}: ${pod.said}`).toEqual([0, null]);
      const { spans } = collector;
      expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
      expect(collector.orphans()).toEqual([]);
      expect(spans.filter(({ parentSpanId }) => parentSpanId === undefined).map((root) => root.name)).toEqual(
        ['publish a model'],
      );
      const told = new Set(spans.map((span) => span.service));
      expect(told).toEqual(new Set(['publisher', 'facet-evaluation', 'facet-features', 'facet-attacks']));
      expect(spans.filter(({ name: what }) => what === 'attack')).toHaveLength(SHARDS);
      const concluded = spans.find(({ name: what }) => what === 'conclude');
      expect(concluded?.attributes['facet.evaluation']).toBe(
        end.type === 'evaluation.completed' ? end.data.evaluation : undefined,
      );
      const ended = collector.last('facet.job.duration', { handler: 'attacks', outcome: 'done' });
      expect(ended).toMatchObject({ service: 'facet-attacks', count: SHARDS });
      // Told every few seconds: how many shards waited when it was told last depends on when that was.
      const waiting = collector.last('facet.queue.messages', { consumer: 'attacks-cpu', state: 'waiting' });
      expect(waiting).toMatchObject({ service: 'facet-attacks' });
      expect(waiting?.value).toBeLessThanOrEqual(SHARDS);
    },
    LIMIT_MS,
  );

  /** What became of the evaluation. */
  async function ending(): Promise<ReceivedEvent<typeof VOCABULARY>> {
    const types = ['evaluation.completed', 'evaluation.failed'] as const;
    const consumer = {
      name: 'test',
      stream: 'FACET_EVENTS',
      subjects: types.map(factSubject),
      ackWaitMs: 30_000,
      maxDeliver: 2,
      maxAckPending: 1,
    };
    for await (const delivery of bus.consume(consumer, AbortSignal.timeout(LIMIT_MS))) {
      await delivery.ack();
      return decodeEvent(VOCABULARY, delivery.message);
    }
    throw new Error('the evaluation did not end');
  }
});
