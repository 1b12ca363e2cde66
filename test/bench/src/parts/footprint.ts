/**
 * What do pods need? The demo on a cluster of this machine: NATS, MinIO and every service as a process of its own, looked at
 * five times a second from its dataset's ingestion over a training to the report. Memory is held against what the manifests
 * ask for; the CPU time of a shard and the time to start are what the simulation of scale stands on.
 */
import { NatsBus } from '@facet/bus';
import { saveStanding } from '@facet/catalog';
import { type Cluster, demoSize, startCluster } from '@facet/cli';
import { STREAMS } from '@facet/contracts';
import { programsFound } from '@facet/local';
import { connectStore, decodeEvent, encodeEvent, natsOptions, VOCABULARY } from '@facet/runtime';
import type { Finding } from '../frame/findings.js';
import type { Part, Tools } from '../frame/part.js';
import { requestOf } from '../footprint/requests.js';
import { Watched } from '../footprint/usage.js';

const LOOK_MS = 200;
const LIMIT_MS = 20 * 60_000;
const SEED = 0;
const dataset = { name: 'synthetic-faces', version: 'footprint' };
const model = { name: 'demo', version: 'footprint' };
const event = { source: '/bench', time: '2026-01-01T00:00:00Z' };

/** Epochs change how long a training takes, and nothing of what it needs. */
const demo = demoSize(SEED, false);
const recipe = { ...demo.recipe, epochs: 3 };

const FILES: Readonly<Record<string, string>> = {
  nats: 'components/nats/nats.yaml',
  minio: 'components/minio/minio.yaml',
};

interface Told {
  /** When each kind of thing was first heard of, in ms. */
  readonly at: ReadonlyMap<string, number>;
  /** Shards that were planned, and that ended. */
  readonly planned: number;
  readonly shards: number;
}

/** From the dataset to the report. */
async function evaluate({ connections }: Cluster): Promise<Told> {
  const store = connectStore(connections);
  const bus = await NatsBus.connect(natsOptions('bench', connections), STREAMS);
  const at = new Map<string, number>();
  let [planned, shards] = [0, 0];
  try {
    const { plan } = demo;
    await saveStanding(store, {
      schema: 'facet.standing/v1',
      name: 'demo',
      models: model.name,
      dataset,
      plan,
    });
    const data = { dataset, source: demo.dataset };
    await bus.publish(encodeEvent(VOCABULARY, { ...event, id: 'ingest', type: 'ingestion', data }));
    for await (const { message } of bus.follow('FACET_EVENTS', { after: 0 }, AbortSignal.timeout(LIMIT_MS))) {
      const { type, data: told } = decodeEvent(VOCABULARY, message);
      if (!at.has(type)) at.set(type, performance.now());
      if (type === 'dataset.ingested') {
        const data = { model, dataset, recipe };
        await bus.publish(
          encodeEvent(VOCABULARY, { ...event, id: 'train', type: 'training.requested', data }),
        );
      }
      if (type === 'evaluation.planned') planned = told.shards;
      if (type === 'attack.completed') shards++;
      if (type.endsWith('.failed')) throw new Error(`${type}: ${JSON.stringify(told)}`);
      if (type === 'evaluation.completed') return { at, planned, shards };
    }
    throw new Error('the evaluation did not end');
  } finally {
    await bus.close();
    store.close();
  }
}

async function* run(_: string, { log }: Tools): AsyncGenerator<Finding> {
  const began = new Map<string, number>();
  const ready = new Map<string, number>();
  const cluster = await startCluster({
    say: (line) => {
      const [, service] = /^service (\w+): \d+ started$/.exec(line) ?? [];
      if (service !== undefined) began.set(service, performance.now());
    },
    onLog: (service, line) => {
      if (line.includes('"started"')) ready.set(service, performance.now());
    },
  });
  const watched = new Map<string, Watched>([
    ['nats', new Watched(() => cluster.nats.server.pid)],
    ['minio', new Watched(() => cluster.minio.server.pid)],
    ...[...cluster.services].map(
      ([name, [process]]) => [name, new Watched(() => process.pid)] as [string, Watched],
    ),
  ]);
  const looking = setInterval(() => {
    for (const one of watched.values()) one.look();
  }, LOOK_MS);
  try {
    log('footprint: the demo, in separate processes');
    const { at, planned, shards } = await evaluate(cluster);
    clearInterval(looking);
    for (const [name, one] of watched) {
      const { memoryMiB, limitMiB } = await requestOf(FILES[name] ?? `base/${name}.yaml`);
      const figures = one.figures();
      const fits = figures.peakMiB <= memoryMiB;
      const started = began.has(name) ? (ready.get(name) ?? NaN) - began.get(name)! : undefined;
      yield {
        check: {
          subject: name,
          passed: fits,
          figures: {
            ...figures,
            requestMiB: memoryMiB,
            limitMiB,
            ...(started !== undefined && { startMs: started }),
          },
          ...(!fits && { problem: `it uses more memory than its pod asks for, ${memoryMiB} MiB` }),
        },
      };
    }
    const cpuS = (name: string) => watched.get(name)!.figures().cpuS;
    const between = (from: string, to: string) => at.get(to)! - at.get(from)!;
    yield {
      check: {
        subject: 'a shard',
        passed: shards === planned,
        ...(shards !== planned && {
          problem: 'shards ended more than once: the figures are of none of them',
        }),
        figures: {
          planned,
          shards,
          attackCpuMs: (1000 * cpuS('attacks')) / shards,
          evaluationCpuMs: (1000 * cpuS('evaluation')) / shards,
          featuresMs: between('model.published', 'features.extracted'),
          attacksMs: between('evaluation.planned', 'evaluation.completed'),
        },
      },
    };
  } finally {
    clearInterval(looking);
    await cluster.stop();
  }
}

export const footprint: Part = {
  name: 'footprint',
  about:
    'memory and CPU of every service in the demo on a cluster, beside what the manifests ask for (Linux)',
  cases: ['demo'],
  async *run(name, tools) {
    if (process.platform !== 'linux') yield { skip: { reason: 'only Linux has /proc' } };
    else if (!programsFound('nats-server', 'minio', 'mc'))
      yield { skip: { reason: 'the servers are not installed; npm run servers installs them' } };
    else yield* run(name, tools);
  },
};
