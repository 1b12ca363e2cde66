import { CONTROL_DIRECTIONS, priorValue } from '@facet/adversary';
import {
  fittedTo,
  loadFeatures,
  loadScores,
  saveRequest,
  sha256,
  type StoredFeatures,
  TEXTURE_PRIOR,
} from '@facet/catalog';
import { ATTRIBUTES, type CleanScore, EvaluationPlan, ILLUMINATIONS, SPOOF_TYPES } from '@facet/contracts';
import { Engine, share } from '@facet/engine';
import { NO_LOG, type ProgressReport } from '@facet/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { extractFeatures, type ExtractRequest } from './extract.js';
import { featuresHandler } from './handler.js';
import { openWorld, type World } from '@facet/world';

const engine = new Engine({ threads: 2 });
/** Fails whatever is asked of it. */
const idle = new Proxy({} as Engine, {
  get: (_, name) => {
    throw new Error(`${String(name)} was not to be used`);
  },
});
const worlds: World[] = [];
afterAll(async () => {
  await engine.close();
  await Promise.all(worlds.map((world) => world.close()));
});

async function open(...args: Parameters<typeof openWorld>): Promise<World> {
  const world = await openWorld(...args);
  worlds.push(world);
  return world;
}

async function extract(
  { store, model, dataset }: World,
  {
    using = engine,
    seen = [] as number[][],
    ...changes
  }: Partial<ExtractRequest> & { using?: Engine; seen?: number[][] } = {},
) {
  const { signal } = new AbortController();
  const request = { model, dataset, priorSamples: 1000, seed: 1, ...changes };
  const onProgress = (...at: [number, number]) => void seen.push(at);
  const folder = await extractFeatures({ store, engine: using }, request, { signal, onProgress });
  return { folder, features: await loadFeatures(store, folder), scores: await loadScores(store, folder) };
}

async function contents({ store }: World, prefix: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const { key } of store.list(prefix)) found[key] = sha256(await (await store.get(key))!.bytes());
  return found;
}

/** The network without some of its heads. */
const without = (world: World, ...bare: string[]): object => ({
  facets: Object.fromEntries(
    Object.entries(world.published.manifest.facets).map(([facet, { feature, head }]) => [
      facet,
      bare.includes(facet) ? { feature } : { feature, head },
    ]),
  ),
});

const COUNTS = { train: 60, dev: 20, test: 6 };
let world: World;
let features: StoredFeatures;
let scores: CleanScore[];
let folder: string;
beforeAll(async () => {
  world = await open(COUNTS);
  ({ features, folder, scores } = await extract(world));
});

describe('a dataset with enough samples', () => {
  it('gives every facet and the texture a prior, and the directions of its control beside it', () => {
    const facets = ['attributes', 'spoof-type', 'illumination', 'depth', 'reflection'];
    expect(features.summary.facets.map(({ facet }) => facet).sort()).toEqual([...facets].sort());
    expect(Object.keys(features.priors).sort()).toEqual([...facets, TEXTURE_PRIOR].sort());
    expect(Object.keys(features.controls).sort()).toEqual([...facets, TEXTURE_PRIOR].sort());
    for (const { facet, source, dimensions, priorSamples, probeAccuracy, withoutPrior } of features.summary
      .facets) {
      expect(source).toBe('head');
      expect(priorSamples).toEqual({ live: 30, spoof: 30 });
      expect(withoutPrior).toBeUndefined();
      expect(probeAccuracy).toBeGreaterThanOrEqual(0);
      const { prior, controls } = fittedTo(features, facet);
      expect(prior!.weights).toHaveLength(dimensions);
      expect(controls!.every(({ length }) => length === dimensions)).toBe(true);
      expect(new Set(controls!.map(String)).size).toBe(CONTROL_DIRECTIONS);
    }
    expect(features.probes).toEqual({});
    expect(features.summary.notes).toEqual([]);
  });

  it('has priors that separate the classes that they were fitted to', async () => {
    const { published, samples } = world;
    const source = { digest: published.digest, bytes: share(published.bytes), manifest: published.manifest };
    const [{ facet, feature, probeAccuracy }] = features.summary.facets;
    const prior = features.priors[facet];
    const accuracyOn = async (split: 'train' | 'dev'): Promise<number> => {
      const images = { photos: samples[split], prepared: true };
      const described = await engine.describe({ source, images, batch: 32, features: [feature] });
      const d = prior.weights.length;
      const right = samples[split].filter(({ labels }, i) => {
        const value = priorValue(prior, described.features[feature].subarray(i * d, (i + 1) * d));
        return value > 0 === (labels.label === 'spoof');
      });
      return right.length / samples[split].length;
    };
    expect(await accuracyOn('train')).toBeGreaterThan(0.6);
    // Live and spoof are equally many, so that the balanced accuracy is the plain one.
    expect(probeAccuracy).toBeCloseTo(await accuracyOn('dev'), 12);
  });

  it('freezes the threshold where errors are equal on dev, and keeps the scores of dev and test', () => {
    const { threshold } = features.summary;
    expect(threshold).toMatchObject({ source: 'dev-eer', samples: 20 });
    const of = (split: string, label: string): number[] =>
      scores.flatMap((one) => (one.split === split && one.label === label ? [one.score] : []));
    const [live, spoof] = [of('dev', 'live'), of('dev', 'spoof')];
    expect([live.length, spoof.length]).toEqual([10, 10]);
    expect(of('test', 'live').length + of('test', 'spoof').length).toBe(6);
    const rejected = live.filter((score) => score < threshold.value).length;
    const accepted = spoof.filter((score) => score >= threshold.value).length;
    expect(Math.abs(rejected - accepted)).toBeLessThanOrEqual(1);
  });

  it('reports each image once', async () => {
    const seen: number[][] = [];
    await extract(world, { seed: 77, seen });
    expect(seen.at(-1)).toEqual([60, 60]);
  });
});

describe('features that are there', () => {
  it('are found, not computed again', async () => {
    const before = await contents(world, folder);
    expect(Object.keys(before)).toHaveLength(3);
    expect((await extract(world, { using: idle })).folder).toBe(folder);
    expect(await contents(world, folder)).toEqual(before);
  });

  it('lie elsewhere for another question', async () => {
    const folders = [
      folder,
      (await extract(world, { priorSamples: 50 })).folder,
      (await extract(world, { seed: 2 })).folder,
    ];
    expect(new Set(folders).size).toBe(3);
    const fewer = await loadFeatures(world.store, folders[1]);
    const { live, spoof } = fewer.summary.facets[0].priorSamples!;
    expect(live + spoof).toBe(50);
    expect(Math.min(live, spoof)).toBeGreaterThanOrEqual(20);
  });

  it('are the same bytes wherever they are computed, and again where half of them was lost', async () => {
    const before = await contents(world, folder);
    const other = await open(COUNTS);
    const one = new Engine({ threads: 1 });
    try {
      await extract(other, { using: one });
    } finally {
      await one.close();
    }
    expect(await contents(other, folder)).toEqual(before);
    await other.store.delete(`${folder}/features.json`);
    await extract(other);
    expect(await contents(other, folder)).toEqual(before);
  });
});

describe('facets without a head', () => {
  it('get a probe where the dataset labels them, and are plain tensors otherwise', async () => {
    const changes = without(world, 'spoof-type', 'illumination', 'attributes', 'depth');
    const headless = await open(COUNTS, changes);
    const found = await extract(headless);
    const sources = found.features.summary.facets.map(({ facet, source }) => [facet, source]);
    expect(Object.fromEntries(sources)).toEqual({
      'spoof-type': 'probe',
      illumination: 'probe',
      attributes: 'probe',
      depth: 'tensor',
      reflection: 'head',
    });
    const { probes } = found.features;
    for (const { facet, source, labelAccuracy } of found.features.summary.facets) {
      if (source !== 'probe') expect(labelAccuracy, facet).toBeUndefined();
      else expect(labelAccuracy, facet).toBeGreaterThan(0);
    }
    expect(
      Object.fromEntries(Object.entries(probes).map(([facet, { classes }]) => [facet, classes])),
    ).toEqual({
      'spoof-type': SPOOF_TYPES.length,
      illumination: ILLUMINATIONS.length,
      attributes: ATTRIBUTES.length,
    });
    for (const { weights, bias } of Object.values(probes))
      expect([...weights, ...bias].every(Number.isFinite)).toBe(true);
    expect(fittedTo(found.features, 'depth').prior).toBeDefined();
  });
});

describe('a dataset that lacks something', () => {
  it('has no priors of too few samples, and says so', async () => {
    const small = await open({ train: 38, dev: 8, test: 4 }, without(world, 'spoof-type'));
    const { features: few } = await extract(small);
    expect(few.priors).toEqual({});
    expect(few.controls).toEqual({});
    const note = 'The train split has 19 live and 19 spoof samples; a prior needs 20 of each.';
    expect(few.summary.notes).toEqual([expect.stringContaining(note)]);
    for (const { priorSamples, probeAccuracy, withoutPrior } of few.summary.facets) {
      expect([priorSamples, probeAccuracy]).toEqual([null, null]);
      expect(withoutPrior).toContain(note);
    }
    expect(Object.keys(few.probes)).toEqual(['spoof-type']);
    expect(few.summary.threshold.source).toBe('dev-eer');
  });

  it('is decided at the boundary of the model without a dev split, at the threshold of the manifest with one', async () => {
    const bare = await open({ train: 0, dev: 0, test: 4 });
    const { features: given, scores: clean } = await extract(bare);
    expect(given.summary.threshold).toEqual({ value: 0, source: 'boundary', samples: 0 });
    expect(given.summary.notes).toEqual([
      expect.stringContaining('has 0 live and 0 spoof samples'),
      expect.stringContaining('no dev split with both classes'),
    ]);
    expect(clean.map(({ split }) => split)).toEqual(['test', 'test', 'test', 'test']);

    const one = await open({ train: 0, dev: 1, test: 2 });
    expect((await extract(one)).features.summary.threshold.source).toBe('boundary');

    const decided = await open({ train: 0, dev: 4, test: 2 }, { threshold: 0.25 });
    const { features: frozen } = await extract(decided);
    expect(frozen.summary.threshold).toEqual({ value: 0.25, source: 'manifest', samples: 0 });
    expect(frozen.summary.notes).toHaveLength(1);
  });
});

describe('the handler', () => {
  it('tells where the features lie, or that the evaluation failed', async () => {
    const plan = EvaluationPlan.parse({
      schema: 'facet.plan/v1',
      name: 'p',
      seed: 1,
      samples: 4,
      batch: 4,
      shard: 4,
      priorSamples: 1000,
      attacks: [
        { objectives: ['facet'], searches: [{ name: 'fgsm' }], threats: [{ norm: 'linf', epsilon: 0.01 }] },
      ],
    });
    const { store, model, dataset } = world;
    await saveRequest(store, { schema: 'facet.request/v1', evaluation: 'e', model, dataset, plan });
    const handler = featuresHandler({ store, engine: idle });
    const seen: ProgressReport[] = [];
    const progress = { report: (report: ProgressReport) => void seen.push(report) };
    const context = { signal: new AbortController().signal, log: NO_LOG, progress, attempt: 1 };
    const event = { id: '1', type: 'features', data: { evaluation: 'e', model, dataset } } as never;
    const data = { evaluation: 'e', model, dataset, features: folder };
    expect(await handler.handle(event, context)).toEqual([
      { type: 'features.extracted', subject: 'e', data },
    ]);
    expect(handler.onGivenUp!(event, { reason: 'terminal', message: 'why', attempts: 1 })).toEqual([
      { type: 'evaluation.failed', subject: 'e', data: { evaluation: 'e', reasons: ['features: why'] } },
    ]);
  });
});
