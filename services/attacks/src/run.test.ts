import {
  fittedTo,
  makeCell,
  loadPlan,
  readOutcomes,
  saveFeatures,
  savePlan,
  shardIndices,
  sha256,
  type StoredFeatures,
  type StoredPrior,
  TEXTURE_PRIOR,
} from '@facet/catalog';
import { type Cell, EvaluationPlan, ILLUMINATIONS, type Job, keys, SPOOF_TYPES } from '@facet/contracts';
import { decodePng, readShard, type StoredSample } from '@facet/datasets';
import { Engine, probeTensor, share } from '@facet/engine';
import { InputError, NO_LOG, NO_PROGRESS } from '@facet/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attacksHandler } from './handler.js';
import { runAttack, Sources } from './run.js';
import { attackSource } from './source.js';
import { truthOf } from './truth.js';
import { openWorld, type World } from '@facet/world';

const { signal } = new AbortController();
const TEST = 9;
const FEATURES = 'features/network/1/faces/1/abc';
const THRESHOLD = 0.05;
const threat = { norm: 'linf', epsilon: 4 / 255 } as const;
const search = { name: 'pgd', steps: 2, restarts: 1 } as const;
const plan = EvaluationPlan.parse({
  schema: 'facet.plan/v1',
  name: 'small',
  seed: 5,
  samples: 7,
  batch: 2,
  shard: 3,
  attacks: [{ objectives: ['facet'], searches: [search], threats: [threat] }],
});
const CELLS = {
  decision: makeCell({ facet: 'live', objective: 'direct', search, threat }),
  depth: makeCell({ facet: 'depth', objective: 'sfa', search, threat }),
  types: makeCell({ facet: 'spoof-type', objective: 'facet', search, threat }),
};

const engine = new Engine({ threads: 2 });
/** Fails whatever is asked of it. */
const idle = { threads: 1, attack: () => Promise.reject(new Error('nothing was to be attacked')) } as never;
let world: World;
let features: StoredFeatures;
beforeAll(async () => {
  world = await openWorld({ train: 0, dev: 0, test: TEST });
  const { published, store, model, dataset } = world;
  const facets = Object.entries(published.manifest.facets).filter(([facet]) => facet !== 'live');
  const texture = published.manifest.texture!;
  const source = { digest: published.digest, bytes: share(published.bytes), manifest: published.manifest };
  const images = { photos: world.samples.test.slice(0, 2), prepared: true };
  const described = await engine.describe({ source, images, batch: 2, features: [], texture });
  const prior = (size: number): StoredPrior => ({
    weights: Float32Array.from({ length: size }, (_, i) => Math.cos(i)),
    bias: 0.1,
  });
  const priors = {
    ...Object.fromEntries(facets.map(([facet]) => [facet, prior(32)])),
    [TEXTURE_PRIOR]: prior(described.features['texture'].length / 2),
  };
  features = {
    summary: {
      schema: 'facet.features/v1',
      modelDigest: published.digest,
      datasetDigest: 'b'.repeat(64),
      threshold: { value: THRESHOLD, source: 'dev-eer', samples: 4 },
      texture,
      facets: facets.map(([facet, { feature }]) => ({
        facet,
        source: 'head',
        feature,
        dimensions: 32,
        probeAccuracy: null,
        priorSamples: null,
      })),
      notes: [],
    },
    priors,
    controls: {},
    probes: {},
  };
  await saveFeatures(store, FEATURES, features, []);
  const cells = Object.values(CELLS);
  const planned = {
    schema: 'facet.planned/v1',
    evaluation: 'e',
    model,
    dataset,
    plan,
    features: FEATURES,
  } as const;
  await savePlan(store, { ...planned, cells, shards: 3 });
});
afterAll(async () => {
  await engine.close();
  await world.close();
});

const jobOf = (cell: Cell, shard: number, changes: object = {}): Job<'attacks'> => ({
  evaluation: 'e',
  model: world.model,
  dataset: world.dataset,
  cell,
  shard,
  features: FEATURES,
  ...changes,
});
const attackShard = (cell: Cell, shard: number, using: Engine = engine): Promise<boolean> =>
  runAttack({ store: world.store, engine: using }, new Sources(world.store), jobOf(cell, shard), signal);

async function stored(cell: Cell, shard: number) {
  const [imagesKey, outcomesKey] = [
    keys.evaluation.images('e', cell.id, shard),
    keys.evaluation.outcomes('e', cell.id, shard),
  ];
  const [tar, parquet] = await Promise.all(
    [imagesKey, outcomesKey].map(async (key) => (await world.store.get(key))!.bytes()),
  );
  const images: StoredSample[] = [];
  for await (const sample of readShard(tar, { name: imagesKey })) images.push(sample);
  return {
    images,
    outcomes: await readOutcomes(parquet, outcomesKey),
    digests: [sha256(tar), sha256(parquet)],
  };
}

async function scoresOf(samples: readonly StoredSample[]): Promise<number[]> {
  const { published } = world;
  const source = { digest: published.digest, bytes: share(published.bytes), manifest: published.manifest };
  const images = { photos: samples, prepared: true };
  return [...(await engine.describe({ source, images, batch: plan.batch, features: [] })).scores];
}

describe.each(Object.entries(CELLS))('a shard of %s', (_, cell) => {
  it('holds the attacked images and how each was judged, at the frozen threshold', async () => {
    for (const [shard, count] of [3, 3, 1].entries()) {
      const indices = shardIndices(plan, TEST, shard);
      expect(indices).toHaveLength(count);
      await attackShard(cell, shard);
      const { images, outcomes } = await stored(cell, shard);
      const clean = indices.map((index) => world.samples.test[index]);
      expect(images.map(({ key }) => key)).toEqual(clean.map(({ key }) => key));
      expect(images.map(({ labels }) => labels)).toEqual(clean.map(({ labels }) => labels));
      const [before, after] = [await scoresOf(clean), await scoresOf(images)];
      for (const [i, outcome] of outcomes.entries()) {
        const { labels } = clean[i];
        const right = (score: number): boolean => score >= THRESHOLD === (labels.label === 'live');
        expect(outcome).toMatchObject({
          key: clean[i].key,
          label: labels.label,
          species: labels.spoofType,
          illumination: labels.illumination,
          cleanScore: before[i],
          adversarialScore: after[i],
          correct: right(before[i]),
          fooled: right(before[i]) && !right(after[i]),
        });
        const [from, to] = await Promise.all([clean[i], images[i]].map(({ png }) => decodePng(png)));
        const largest = to.data.reduce((max, v, j) => Math.max(max, Math.abs(v - from.data[j])), 0);
        // What is decided wrongly without an attack is left alone.
        expect(largest > 0).toBe(outcome.correct);
        expect(largest).toBeLessThanOrEqual(4);
        expect(outcome.linf).toBeCloseTo(largest / 255, 6);
      }
    }
  });

  it('is not attacked again, and is the same bytes where it must be', async () => {
    await attackShard(cell, 1);
    const { digests } = await stored(cell, 1);
    await attackShard(cell, 1, idle);
    expect((await stored(cell, 1)).digests).toEqual(digests);
    await world.store.delete(keys.evaluation.outcomes('e', cell.id, 1));
    await expect(attackShard(cell, 1, idle)).rejects.toThrow('nothing was to be attacked');
    const other = new Engine({ threads: 1 });
    try {
      await attackShard(cell, 1, other);
    } finally {
      await other.close();
    }
    expect((await stored(cell, 1)).digests).toEqual(digests);
  });
});

describe('the handler', () => {
  it('tells that a shard is done, or why it never will be', async () => {
    const handler = attacksHandler({ store: world.store, engine });
    const context = { signal, log: NO_LOG, progress: NO_PROGRESS, attempt: 1 };
    const event = { id: '1', type: 'attacks', data: jobOf(CELLS.depth, 2) } as never;
    const data = { evaluation: 'e', cell: CELLS.depth.id, shard: 2 };
    expect(await handler.handle(event, context)).toEqual([{ type: 'attack.completed', subject: 'e', data }]);
    const given = handler.onGivenUp!(event, { reason: 'terminal', message: 'why', attempts: 1 });
    expect(given).toEqual([{ type: 'attack.failed', subject: 'e', data: { ...data, reason: 'why' } }]);
    expect(handler.concurrency).toBe(4);
  });
});

describe('Sources', () => {
  it('leaves nothing behind where its evaluation was deleted while it computed', async () => {
    const { store } = world;
    const planned = await loadPlan(store, 'e');
    await savePlan(store, { ...planned, evaluation: 'gone' });
    const deleting = {
      threads: 1,
      attack: async (...task: Parameters<Engine['attack']>) => {
        const result = await engine.attack(...task);
        await store.delete(keys.evaluation.plan('gone'));
        return result;
      },
    } as unknown as Engine;
    const job = jobOf(CELLS.decision, 0, { evaluation: 'gone' });
    expect(await runAttack({ store, engine: deleting }, new Sources(store), job, signal)).toBe(false);
    for await (const { key } of store.list(keys.evaluation.folder('gone'))) expect.unreachable(key);
  });

  it('opens what jobs share once, and not for ever what could not be opened', async () => {
    const sources = new Sources(world.store);
    const job = jobOf(CELLS.depth, 0);
    const [first, second] = [sources.get(job), sources.get({ ...job, shard: 2 })];
    expect(await first).toBe(await second);
    const lost = { ...job, evaluation: 'other' };
    await expect(sources.get(lost)).rejects.toBeInstanceOf(InputError);
    await savePlan(world.store, { ...(await loadPlan(world.store, 'e')), evaluation: 'other' });
    await expect(sources.get({ ...lost, features: 'features/none' })).rejects.toThrow(
      'there are no features here',
    );
    expect((await sources.get(lost)).threshold).toBe(THRESHOLD);
    expect((await sources.get(job)).threshold).toBe(THRESHOLD);
  });
});

describe('attackSource', () => {
  it('takes heads from the model, probes from the fit, and fits by name', () => {
    const { published } = world;
    const { 'spoof-type': types, depth, illumination } = published.manifest.facets;
    const headless = {
      ...published,
      manifest: {
        ...published.manifest,
        facets: {
          depth,
          attributes: { feature: types.feature },
          illumination: { feature: illumination.feature },
        },
      },
    };
    const probe = { classes: 40, weights: new Float32Array(40 * 32), bias: new Float32Array(40) };
    const [summary] = features.summary.facets;
    const given: StoredFeatures = {
      ...features,
      controls: { depth: [features.priors['depth'].weights] },
      probes: { attributes: probe },
      summary: {
        ...features.summary,
        facets: [
          { ...summary, facet: 'depth', feature: depth.feature },
          { ...summary, facet: 'attributes', source: 'probe', feature: types.feature },
          { ...summary, facet: 'illumination', source: 'tensor', feature: illumination.feature },
        ],
      },
    };
    const source = attackSource(headless, given, 'the fit');
    expect(source).toMatchObject({ digest: published.digest, fit: 'the fit' });
    expect(source.probes).toEqual([{ facet: 'attributes', feature: types.feature, probe }]);
    expect(source.attacked.texture).toEqual({
      tensor: features.summary.texture,
      prior: features.priors[TEXTURE_PRIOR],
    });
    const [mapped, probed, plain] = source.attacked.facets;
    expect(mapped).toMatchObject({ head: depth.head, ...fittedTo(given, 'depth') });
    expect(mapped.controls).toEqual([features.priors['depth'].weights]);
    expect(probed.head).toEqual({ output: probeTensor('attributes'), kind: 'multi-label' });
    expect(plain).not.toHaveProperty('head');
    expect(plain).not.toHaveProperty('controls');
  });
});

describe('truthOf', () => {
  const png = new Uint8Array([1]);
  const full: StoredSample = {
    key: 'k',
    png,
    labels: { label: 'spoof', spoofType: 'phone', illumination: 'dark', attributes: [1, 0] },
    depth: png,
    reflection: png,
  };
  const bare: StoredSample = { key: 'k', png, labels: { label: 'live' } };

  it.each([
    ['spoof-type', { kind: 'class', index: SPOOF_TYPES.indexOf('phone') }],
    ['illumination', { kind: 'class', index: ILLUMINATIONS.indexOf('dark') }],
    ['attributes', { kind: 'bits', bits: [1, 0] }],
    ['depth', { kind: 'map', png }],
    ['reflection', { kind: 'map', png }],
    ['plain', undefined],
  ])('is what the dataset knows of %s', (facet, truth) => {
    expect(truthOf(facet, full)).toEqual(truth);
    expect(truthOf(facet, bare)).toBeUndefined();
  });
});
