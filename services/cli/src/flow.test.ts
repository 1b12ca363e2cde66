/** The whole way from a published model to its report: every service's own handlers on the in-process bus. */
import { type Bus, type Delivery, InProcessBus } from '@facet/bus';
import { type EvaluationRequest, loadRequest, publishModel, saveStanding, sha256 } from '@facet/catalog';
import { type DeadLetter, EvaluationPlan, keys, Policy, Report, STREAMS } from '@facet/contracts';
import { Engine } from '@facet/engine';
import { openPageRenderer } from '@facet/evaluation';
import { ModelError } from '@facet/onnx';
import {
  DeadLetters,
  decodeDeadLetter,
  encodeEvent,
  NO_LOG,
  runHandlers,
  TerminalError,
  VOCABULARY,
} from '@facet/runtime';
import { readJson } from '@facet/store';
import type { ThreadPool } from '@facet/threads';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { awaitConclusion } from './outcome.js';
import { type AnyHandler, evaluatingHandlers } from './system.js';
import { openWorld, type World } from '@facet/world';

const plan = EvaluationPlan.parse({
  schema: 'facet.plan/v1',
  name: 'small',
  seed: 5,
  samples: 10,
  batch: 4,
  shard: 6,
  priorSamples: 60,
  attacks: [
    {
      objectives: ['direct', 'facet', 'sfa'],
      searches: [{ name: 'pgd', steps: 2 }],
      threats: [{ norm: 'linf', epsilon: '4/255' }],
    },
  ],
});
const CELLS = 1 + 5 + 5;
const SHARDS = 2;
const policy = Policy.parse({
  schema: 'facet.policy/v1',
  name: 'none-falls',
  attacks: [{ objective: 'direct', maxAttackSuccessRate: 1 }],
});

/** Cannot attack the second shard of one cell, as it were for an operator without a rule. */
class PoisonedEngine extends Engine {
  override attack(...args: Parameters<Engine['attack']>): ReturnType<Engine['attack']> {
    const [{ facet, objective, keys: samples }] = args;
    if (facet === 'depth' && objective === 'sfa' && samples.length === 4)
      return Promise.reject(new ModelError('unsupported', 'has no gradient rule', 'node Erf_7'));
    return super.attack(...args);
  }
}

/** Every message comes twice to each of its readers, the first time as if its ack had been lost. */
class RepeatingBus extends InProcessBus {
  repeated = 0;

  override async *consume(...args: Parameters<Bus['consume']>): AsyncGenerator<Delivery> {
    const lost = () => Promise.resolve();
    for await (const delivery of super.consume(...args)) {
      this.repeated++;
      yield { ...delivery, ack: lost, nak: lost, term: lost };
      yield delivery;
    }
  }
}

let renderer: ThreadPool;
const engines = [new Engine({ threads: 2 }), new Engine({ threads: 1 }), new PoisonedEngine({ threads: 2 })];
const worlds: World[] = [];
beforeAll(() => {
  renderer = openPageRenderer();
});
afterAll(async () => {
  await Promise.all([renderer.close(), ...engines.map((engine) => engine.close())]);
  await Promise.all(worlds.map((world) => world.close()));
});

async function openStanding(changes: Partial<EvaluationPlan> = {}): Promise<World> {
  const world = await openWorld({ train: 60, dev: 16, test: 12 });
  worlds.push(world);
  await saveStanding(world.store, {
    schema: 'facet.standing/v1',
    name: 'always',
    models: 'net*',
    dataset: world.dataset,
    plan: { ...plan, ...changes },
    policy,
  });
  return world;
}

/** Publishes the model and waits for the end of what that starts. */
async function publishModelOn(world: World, engine: Engine, bus: InProcessBus = new InProcessBus(STREAMS)) {
  const { store, model, published } = world;
  const { handler, completed } = awaitConclusion([model]);
  const controller = new AbortController();
  const running = runHandlers({
    bus,
    registry: VOCABULARY,
    handlers: [...evaluatingHandlers({ store, engine, renderer, version: '0.0.0' }), handler as AnyHandler],
    log: NO_LOG,
    signal: controller.signal,
  });
  const data = { model, digest: published.digest };
  const time = '2026-01-01T00:00:00Z';
  await bus.publish(
    encodeEvent(VOCABULARY, { id: 'first', type: 'model.published', source: '/test', time, data }),
  );
  try {
    return (await completed)[0];
  } finally {
    await bus.idle();
    await running.stop();
  }
}

async function contents({ store }: World): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const { key } of store.list('')) found.set(key, sha256(await (await store.get(key))!.bytes()));
  return found;
}

async function lettersOf(bus: InProcessBus): Promise<DeadLetter[]> {
  const letters: DeadLetter[] = [];
  const controller = new AbortController();
  const reading = (async () => {
    const consumer = { name: 'reader', stream: 'FACET_DLQ', subjects: ['facet.dlq.>'] };
    const limits = { ackWaitMs: 60_000, maxDeliver: 1, maxAckPending: 100 };
    for await (const delivery of bus.consume({ ...consumer, ...limits }, controller.signal)) {
      letters.push(decodeDeadLetter(delivery.message));
      await delivery.ack();
    }
  })();
  await bus.idle();
  controller.abort();
  await reading;
  return letters;
}

describe('a published model', () => {
  let evaluation: string;
  let asked: EvaluationRequest;
  let stored: Map<string, string>;

  it('comes to its report by the events alone', async () => {
    const world = await openStanding();
    const done = await publishModelOn(world, engines[0]);
    evaluation = done.evaluation;
    asked = await loadRequest(world.store, evaluation);
    stored = await contents(world);
    expect(asked).toMatchObject({ model: world.model, dataset: world.dataset, plan, policy });
    expect(done.report).toBe(keys.evaluation.report(evaluation, 'json'));

    const report = (await readJson(world.store, done.report, (value) => Report.parse(value)))!;
    expect(report.cells).toHaveLength(CELLS);
    expect(report.cells.every(({ samples }) => samples === 10)).toBe(true);
    expect(report.cells.every(({ maxLinf }) => maxLinf > 0 && maxLinf <= 4 / 255 + 1e-6)).toBe(true);
    expect(report.clean).toMatchObject({ samples: 12, thresholdSource: 'dev-eer' });
    const { images, agreed } = report.provenance.recheck;
    expect(images).toBeGreaterThan(50);
    expect(agreed).toBe(images);
    expect(report.gains[0].gain).not.toBeNull();
    expect(report.facets.map(({ rank }) => rank).sort()).toEqual([1, 2, 3, 4, 5]);
    expect(report.verdict).toMatchObject({ policy: 'none-falls', passed: true });
    expect(done.verdict).toEqual(report.verdict);
    const shards = [...stored.keys()].filter((key) => key.endsWith('.parquet') && key.includes('/cells/'));
    expect(shards).toHaveLength(CELLS * SHARDS);
  });

  it('comes to the same bytes when every message comes twice, on another number of threads', async () => {
    const world = await openStanding();
    const bus = new RepeatingBus(STREAMS);
    const done = await publishModelOn(world, engines[1], bus);
    expect(done.evaluation).toBe(evaluation);
    expect(bus.repeated).toBeGreaterThan(2 * CELLS * SHARDS);
    expect(await contents(world)).toEqual(stored);
  });

  it('is told again, without any work, when it is published again', async () => {
    const world = worlds[0];
    const idle = new Proxy({ threads: 1 } as Engine, {
      get: (target, name) => {
        if (name === 'threads') return target.threads;
        throw new Error(`${String(name)} was not to be used`);
      },
    });
    expect((await publishModelOn(world, idle)).evaluation).toBe(evaluation);
    expect(await contents(world)).toEqual(stored);
  });

  it('fails with the reason when a shard cannot be attacked, and goes on to the same report once it can', async () => {
    const world = await openStanding();
    const bus = new InProcessBus(STREAMS);
    const cell = 'depth.sfa.pgd-2.linf-4_255';
    const failure = await publishModelOn(world, engines[2], bus).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(TerminalError);
    expect((failure as Error).message).toContain(`${cell}, shard 1: `);
    expect((failure as Error).message).toContain('node Erf_7: has no gradient rule');
    expect((failure as Error).message.split('\n')).toHaveLength(1);
    const letters = await lettersOf(bus);
    expect(letters).toHaveLength(1);
    expect(letters[0]).toMatchObject({ handler: 'attacks', reason: 'terminal', attempts: 1 });
    const failed = await contents(world);
    const missing = [...stored.keys()].filter((key) => !failed.has(key));
    expect(missing).toEqual(
      [
        keys.evaluation.images(evaluation, cell, 1),
        keys.evaluation.outcomes(evaluation, cell, 1),
        ...(['html', 'json', 'xml'] as const).map((kind) => keys.evaluation.report(evaluation, kind)),
      ].sort((a, b) => (a < b ? -1 : 1)),
    );

    await publishModelOn(world, engines[0]);
    expect(await contents(world)).toEqual(stored);
  });

  it('comes to a report that names the cell, where the plan wants it so, and to a whole one by a replay', async () => {
    const world = await openStanding({ failedCells: 'mark' });
    const bus = new InProcessBus(STREAMS);
    const { report: key, verdict } = await publishModelOn(world, engines[2], bus);
    const reportNow = async () => (await readJson(world.store, key, (value) => Report.parse(value)))!;
    const { failedCells, cells, curves, facets, notes } = await reportNow();
    const id = 'depth.sfa.pgd-2.linf-4_255';
    expect(failedCells).toMatchObject([{ id, facet: 'depth', objective: 'sfa', shards: 1 }]);
    expect(failedCells![0].reason).toContain('node Erf_7: has no gradient rule');
    expect(notes.join()).toContain(id);
    expect(cells).toHaveLength(CELLS - 1);
    expect(curves.some(({ facet, objective }) => facet === 'depth' && objective === 'sfa')).toBe(false);
    // By fewer cells than the others it would stand elsewhere than it belongs.
    expect(facets.find(({ facet }) => facet === 'depth')!.rank).toBeNull();
    expect(facets.map(({ rank }) => rank).sort()).toEqual([1, 2, 3, 4, null]);
    expect(verdict.passed).toBe(true);

    expect(await new DeadLetters(bus).replay(1)).toBe(true);
    await publishModelOn(world, engines[0], bus);
    const healed = await reportNow();
    expect(healed.failedCells).toBeUndefined();
    expect(healed.cells).toHaveLength(CELLS);
    expect(healed.notes.join()).not.toContain(id);
  });

  it('is compared with the version before it, which is evaluated first where it was not', async () => {
    const world = await openWorld({ train: 60, dev: 16, test: 12 });
    worlds.push(world);
    const { store, dataset, published } = world;
    const model = { name: 'network', version: '2' };
    const manifest = { ...published.manifest, ...model, threshold: 0 };
    const next = await publishModel(store, published.bytes, manifest);
    const limits = Policy.parse({
      schema: 'facet.policy/v1',
      name: 'no-step-back',
      attacks: [{ objective: 'direct', maxRegression: 1 }],
    });
    const standing = { schema: 'facet.standing/v1' as const, name: 'next', models: 'network', dataset, plan };
    await saveStanding(store, { ...standing, version: '2', policy: limits, baseline: 'previous' });
    const done = await publishModelOn({ ...world, model, published: next }, engines[0]);
    expect(done.model).toEqual(model);
    const report = (await readJson(store, done.report, (value) => Report.parse(value)))!;
    expect(report.baseline).toMatchObject({ model: world.model, samples: 10 });
    expect(report.baseline!.cells).toHaveLength(CELLS);
    expect(report.verdict.checks.map(({ name }) => name)).toEqual([
      'attack success rises at most, against network@1, direct',
    ]);
    // The bytes are the same: what the attack on the decision does differs by the threshold alone.
    expect(report.baseline!.clean.auc).toMatchObject({ delta: 0, interval: [0, 0] });
  });
});
