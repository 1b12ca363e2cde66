import { makeCell, type PlannedEvaluation, readOutcomes, writeOutcomes } from '@facet/catalog';
import { keys, type Outcome } from '@facet/contracts';
import { decodePng, encodePng, type StoredSample, writeShard } from '@facet/datasets';
import { Engine, share } from '@facet/engine';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FGSM, groupOf, linf, planOf } from './cells.fixture.js';
import { recheck } from './recheck.js';
import { openWorld, type World } from '@facet/world';
import { picturesOf, worstCases, worstSample } from './worst.js';

const { signal } = new AbortController();
const engine = new Engine({ threads: 1 });
let world: World;
let planned: PlannedEvaluation;
let threshold: number;
const cell = makeCell({ facet: 'depth', objective: 'facet', search: FGSM, threat: linf(255) });

/** Stores what an attack would have: the test images, with every second one turned upside down in value. */
beforeAll(async () => {
  world = await openWorld({ train: 0, dev: 0, test: 8 });
  const { store, model, dataset, published, samples } = world;
  planned = {
    schema: 'facet.planned/v1',
    evaluation: 'e',
    model,
    dataset,
    plan: planOf([groupOf()], { samples: 8, shard: 4, batch: 4 }),
    features: 'none',
    cells: [cell],
    shards: 2,
  };
  const images = await Promise.all(
    samples.test.map(async (sample, i): Promise<StoredSample> => {
      const { data, width, height } = await decodePng(sample.png);
      const png = await encodePng({ data: i % 2 ? data.map((v) => 255 - v) : data, width, height });
      return { key: sample.key, labels: sample.labels, png };
    }),
  );
  const source = { digest: published.digest, bytes: share(published.bytes), manifest: published.manifest };
  const score = async (photos: readonly StoredSample[]): Promise<Float64Array> => {
    const task = { source, images: { photos, prepared: true }, batch: 4, features: [] };
    return (await engine.describe(task, signal)).scores;
  };
  const [clean, adversarial] = [await score(samples.test), await score(images)];
  threshold = [...clean, ...adversarial].sort((a, b) => a - b)[7];
  const outcomes = images.map(({ key, labels }, i): Outcome => {
    const live = labels.label === 'live';
    const correct = clean[i] >= threshold === live;
    return {
      key,
      label: labels.label,
      species: labels.spoofType ?? null,
      illumination: labels.illumination ?? null,
      cleanScore: clean[i],
      adversarialScore: adversarial[i],
      correct,
      fooled: correct && adversarial[i] >= threshold !== live,
      linf: i % 2,
      l2: 0,
    };
  });
  for (const shard of [0, 1]) {
    const part = <T>(all: readonly T[]): T[] => all.slice(4 * shard, 4 * shard + 4);
    await store.put(keys.evaluation.images('e', cell.id, shard), await writeShard(part(images)));
    await store.put(keys.evaluation.outcomes('e', cell.id, shard), writeOutcomes(part(outcomes)));
  }
});
afterAll(async () => {
  await engine.close();
  await world.close();
});

async function outcomesOf(shard: number): Promise<Outcome[]> {
  const key = keys.evaluation.outcomes('e', cell.id, shard);
  return readOutcomes(await (await world.store.get(key))!.bytes(), key);
}

/** The stored images of shard 0 become what `change` makes of them, for as long as `during` runs. */
async function tampered<T>(
  change: (images: StoredSample[]) => Promise<StoredSample[]>,
  during: () => Promise<T>,
): Promise<T> {
  const key = keys.evaluation.images('e', cell.id, 0);
  const before = await (await world.store.get(key))!.bytes();
  const outcomes = await outcomesOf(0);
  const own = world.samples.test
    .slice(0, 4)
    .map(({ key: name, labels, png }) => ({ key: name, labels, png }));
  expect(outcomes.map((outcome) => outcome.key)).toEqual(own.map((sample) => sample.key));
  await world.store.put(key, await writeShard(await change(own)));
  try {
    return await during();
  } finally {
    await world.store.put(key, before);
  }
}

describe('recheck', () => {
  it('agrees with honest workers on every image', async () => {
    expect(await recheck({ ...world, engine }, planned, threshold, signal)).toEqual({ images: 8, agreed: 8 });
  });

  it('finds an image that is not decided as was said', async () => {
    const outcomes = await outcomesOf(0);
    const flipped = outcomes.filter(
      ({ cleanScore, adversarialScore }) => cleanScore >= threshold !== adversarialScore >= threshold,
    );
    expect(flipped.length).toBeGreaterThan(0);
    // The clean images in the place of the attacked ones: exactly those whose decision differs are found.
    const found = await tampered(
      (images) => Promise.resolve(images),
      () => recheck({ ...world, engine }, planned, threshold, signal),
    );
    expect(found).toEqual({ images: 8, agreed: 8 - flipped.length });
  });

  it('says which file lacks an image', async () => {
    const key = keys.evaluation.images('e', cell.id, 0);
    await tampered(
      (images) => Promise.resolve(images.slice(1)),
      () =>
        expect(recheck({ ...world, engine }, planned, threshold, signal)).rejects.toMatchObject({
          name: 'InputError',
          file: key,
        }),
    );
  });
});

describe('picturesOf', () => {
  it('shows the sample that fell, beside what was changed', async () => {
    const outcomes = [...(await outcomesOf(0)), ...(await outcomesOf(1))];
    const worst = new Map([[cell.id, worstSample(outcomes, threshold)!]]);
    const cases = worstCases(planned, worst);
    expect(cases).toHaveLength(1);
    const [picture] = await picturesOf({ ...world, engine }, planned, cases, signal);
    const index = world.samples.test.findIndex(({ key }) => key === cases[0].key);
    expect(cases[0].shard).toBe(Math.floor(index / 4));
    const [original, adversarial] = await Promise.all(
      [picture.original, picture.adversarial].map(async (png) => (await decodePng(png)).data),
    );
    expect(original).toEqual((await decodePng(world.samples.test[index].png)).data);
    expect(adversarial).toEqual(original.map((v) => 255 - v));
    expect(picture.amplification).toBe(1);
  });
});
