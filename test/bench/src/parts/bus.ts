/**
 * How much work passes through the bus? Jobs that do nothing, from the joiner through a worker back to the joiner, on a
 * real NATS server, and how soon after a model's publication the first job begins. Everything but the servers is in this
 * process.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectNats, ensureStream, NatsBus } from '@facet/bus';
import { makeCell, savePlan, saveStanding } from '@facet/catalog';
import { EvaluationPlan, STREAMS } from '@facet/contracts';
import { Engine } from '@facet/engine';
import { evaluationHandlers, openPageRenderer } from '@facet/evaluation';
import { programsFound, startNats } from '@facet/local';
import {
  type AnyHandler,
  defineHandler,
  encodeEvent,
  type Handler,
  NO_LOG,
  runHandlers,
  VOCABULARY,
} from '@facet/runtime';
import { FolderStore, type ObjectStore } from '@facet/store';
import { openWorld } from '@facet/world';
import { jetstreamManager } from '@nats-io/jetstream';
import type { Finding } from '../frame/findings.js';
import type { Part } from '../frame/part.js';

const SHARDS = 10_000;
const LEAST_JOBS_PER_S = 1_000;
const MOST_START_MS = 1_000;
const WORKERS = 16;
const TIME = '2026-01-01T00:00:00Z';

const plan = EvaluationPlan.parse({
  schema: 'facet.plan/v1',
  name: 'bus',
  seed: 0,
  samples: SHARDS,
  batch: 1,
  shard: 1,
  attacks: [
    { objectives: ['direct'], searches: [{ name: 'fgsm' }], threats: [{ norm: 'linf', epsilon: 0.1 }] },
  ],
});

/** Runs `work` with the evaluation's own handlers and further ones on a fresh server. */
async function withHandlers<T>(
  store: ObjectStore,
  further: readonly AnyHandler[],
  work: (bus: NatsBus) => Promise<T>,
): Promise<T> {
  const nats = await startNats();
  const stopping = new AbortController();
  const engine = new Engine({ threads: 1 });
  const renderer = openPageRenderer();
  try {
    const connection = await connectNats({ url: nats.url, name: 'bench-setup' });
    const jsm = await jetstreamManager(connection);
    for (const stream of STREAMS) await ensureStream(jsm, stream, 1);
    await connection.close();
    const bus = await NatsBus.connect({ url: nats.url, name: 'bench' }, STREAMS);
    const handlers = [
      ...evaluationHandlers({ store, engine, renderer, version: '0.0.0' }),
      ...further,
    ] as AnyHandler[];
    const { signal } = stopping;
    const running = runHandlers({ bus, registry: VOCABULARY, handlers, log: NO_LOG, signal, drainMs: 0 });
    try {
      return await work(bus);
    } finally {
      await running.stop();
      await bus.close();
    }
  } finally {
    await Promise.all([engine.close(), renderer.close(), nats.server.stop()]);
  }
}

/** The milliseconds from the first job to the last but one: with the last the evaluation would be judged. */
async function jobsMs(): Promise<number> {
  const root = await mkdtemp(join(tmpdir(), 'facet-bench-bus-'));
  try {
    const store = await FolderStore.open(root);
    const [{ searches, threats }] = plan.attacks;
    const cell = makeCell({ facet: 'live', objective: 'direct', search: searches[0], threat: threats[0] });
    const [model, dataset] = [
      { name: 'm', version: '1' },
      { name: 'd', version: '1' },
    ];
    const evaluation = 'bus';
    await savePlan(store, {
      ...{ schema: 'facet.planned/v1', evaluation, model, dataset, plan, features: 'features/f' },
      ...{ cells: [cell], shards: SHARDS },
    });
    let done = 0;
    let from = 0;
    let finish!: (ms: number) => void;
    const finished = new Promise<number>((resolve) => (finish = resolve));
    const idle = defineHandler(VOCABULARY, {
      name: 'attacks',
      consumes: ['attacks'],
      publishes: ['attack.completed'],
      pool: 'cpu',
      concurrency: WORKERS,
      ackWaitMs: 30_000,
      attemptLimitMs: 60_000,
      maxDeliver: 3,
      async handle({ data }) {
        if (done === 0) from = performance.now();
        if (++done === SHARDS) {
          finish(performance.now() - from);
          return [];
        }
        return [{ type: 'attack.completed', data: { evaluation, cell: data.cell.id, shard: data.shard } }];
      },
    });
    return await withHandlers(store, [idle as AnyHandler], async (bus) => {
      const data = { evaluation, model, dataset, cells: 1, shards: SHARDS };
      const event = { id: 'planned', type: 'evaluation.planned' as const, source: '/bench', time: TIME };
      await bus.publish(encodeEvent(VOCABULARY, { ...event, data }));
      return finished;
    });
  } finally {
    await rm(root, { recursive: true });
  }
}

/** The milliseconds from a model's publication to its first job, which extracts its features. */
async function startMs(): Promise<number> {
  const world = await openWorld({ train: 12, dev: 4, test: 4 });
  try {
    const { store, model, dataset, published } = world;
    const name = 'bench';
    await saveStanding(store, { schema: 'facet.standing/v1', name, models: model.name, dataset, plan });
    let begin!: () => void;
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const first: Handler<typeof VOCABULARY, 'features'> = {
      name: 'features',
      consumes: ['features'],
      publishes: [],
      pool: 'cpu',
      concurrency: 1,
      ackWaitMs: 30_000,
      attemptLimitMs: 60_000,
      maxDeliver: 3,
      async handle() {
        begin();
        return [];
      },
    };
    return await withHandlers(store, [first as AnyHandler], async (bus) => {
      const data = { model, digest: published.digest };
      const event = { id: 'published', type: 'model.published' as const, source: '/bench', time: TIME };
      const from = performance.now();
      await bus.publish(encodeEvent(VOCABULARY, { ...event, data }));
      await begun;
      return performance.now() - from;
    });
  } finally {
    await world.close();
  }
}

async function jobs(): Promise<Finding> {
  const jobsPerS = SHARDS / ((await jobsMs()) / 1000);
  const passed = jobsPerS >= LEAST_JOBS_PER_S;
  return {
    check: {
      subject: 'bus and joiner',
      passed,
      figures: { jobs: SHARDS, jobsPerS, leastJobsPerS: LEAST_JOBS_PER_S },
      ...(!passed && { problem: `fewer than ${LEAST_JOBS_PER_S} jobs a second` }),
    },
  };
}

async function start(): Promise<Finding> {
  const firstJobMs = await startMs();
  const passed = firstJobMs < MOST_START_MS;
  return {
    check: {
      subject: 'first job',
      passed,
      figures: { firstJobMs, mostMs: MOST_START_MS },
      ...(!passed && { problem: `begins later than ${MOST_START_MS} ms after the model is published` }),
    },
  };
}

const CASES: ReadonlyMap<string, () => Promise<Finding>> = new Map([
  ['jobs', jobs],
  ['start', start],
]);

export const bus: Part = {
  name: 'bus',
  about: `${SHARDS} jobs that do nothing through NATS and the joiner; from a model's publication to its first job`,
  cases: [...CASES.keys()],
  async *run(name) {
    if (programsFound('nats-server')) yield await CASES.get(name)!();
    else yield { skip: { reason: 'nats-server is not installed; npm run servers installs it' } };
  },
};
