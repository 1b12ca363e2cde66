// Whole small adversarial trainings: TRADES, and on the images by which an evaluation broke a model.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  loadModel,
  makeCell,
  publishDataset,
  records,
  savePlan,
  saveRequest,
  writeDatasetShard,
  writeOutcomes,
} from '@facet/catalog';
import { EvaluationPlan, keys, type Outcome, TrainingHistory } from '@facet/contracts';
import { encodePng, type StoredSample, writeShard } from '@facet/datasets';
import { Engine, share } from '@facet/engine';
import { isTerminal } from '@facet/runtime';
import { type FolderStore, readJson } from '@facet/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runTraining } from './train.js';
import {
  caught,
  dataset,
  facesOf,
  model,
  ONNX_RUNTIME,
  requestOf,
  SAMPLES,
  SIZE,
  storeOf,
} from './training.fixture.js';

const BATCH = 8;
const THREAT = { norm: 'linf', epsilon: '4/255' } as const;

let root: string;
let samples: StoredSample[];
const engines = { one: new Engine({ threads: 1 }), two: new Engine({ threads: 2 }) };
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'facet-adversarial-'));
  samples = await facesOf();
});
afterAll(async () => {
  await Promise.all([engines.one.close(), engines.two.close()]);
  await rm(root, { recursive: true });
});

const run = (
  store: FolderStore,
  request = requestOf(),
  { engine = engines.two, stopAt = Infinity, onStep = (_: number): void => undefined } = {},
) => {
  const controller = new AbortController();
  return runTraining({ store, engine, backend: ONNX_RUNTIME }, request, {
    signal: controller.signal,
    onStep: ({ step }) => {
      onStep(step);
      if (step === stopAt) controller.abort(new Error('stopped'));
    },
  });
};

async function historyIn(store: FolderStore): Promise<TrainingHistory> {
  for await (const { key } of store.list('trainings/'))
    if (key.endsWith('history.json')) return (await readJson(store, key, (v) => TrainingHistory.parse(v)))!;
  throw new Error('no training left a history');
}

describe('TRADES', () => {
  const request = requestOf({
    adversarial: {
      threat: THREAT,
      search: { name: 'trades', steps: 2, beta: 3 },
      mix: [{ objective: 'direct' }],
    },
  });

  it('trains attacked twins beside clean samples to a network that is what its manifest says, whatever stopped it', async () => {
    const whole = await storeOf(root, 'trades', samples);
    const { digest } = await run(whole, request);
    const published = await loadModel(whole, model);
    expect(Object.keys(published.manifest.facets).sort()).toEqual(['attributes', 'depth', 'live']);
    await engines.two.check({ digest, bytes: share(published.bytes), manifest: published.manifest });
    for (const { losses } of (await historyIn(whole)).epochs) {
      expect(Object.keys(losses).sort()).toEqual(['attributes', 'consistency', 'depth', 'live']);
      expect(losses['consistency']).toBeGreaterThan(0);
    }
    const stopped = await storeOf(root, 'trades-stopped', samples);
    await expect(run(stopped, request, { stopAt: 3 })).rejects.toThrow('stopped');
    expect((await run(stopped, request, { engine: engines.one })).digest).toBe(digest);
  });

  it('is no clean training, nor one by another weight of consistency', async () => {
    const digests = new Set<string>();
    for (const beta of [undefined, 3, 30]) {
      const search = { name: 'trades', steps: 1, beta };
      const asked = requestOf(beta === undefined ? {} : { adversarial: { threat: THREAT, search } });
      digests.add((await run(await storeOf(root, `trades-${beta}`, samples), asked)).digest);
    }
    expect(digests.size).toBe(3);
  });
});

const EVALUATION = 'trained-0123456789abcdef';
const CELL = makeCell({
  facet: 'live',
  objective: 'direct',
  search: { name: 'fgsm' },
  threat: { norm: 'linf', epsilon: 4 / 255 },
});
const PLAN = EvaluationPlan.parse({
  schema: 'facet.plan/v1',
  name: 'broken',
  samples: 16,
  batch: 8,
  shard: 8,
  attacks: [{ objectives: ['direct'], searches: [{ name: 'fgsm' }], threats: [THREAT] }],
});

/** An evaluation of `of`, whose first shard of two is stored: images of `images`, of which the first `fooled` fooled. */
async function evaluated(
  store: FolderStore,
  of: { name: string; version: string },
  images: readonly StoredSample[],
  fooled: number,
): Promise<void> {
  const about = { evaluation: EVALUATION, model: { name: 'broken', version: '1' }, dataset: of, plan: PLAN };
  await saveRequest(store, { schema: 'facet.request/v1', ...about });
  await savePlan(store, {
    schema: 'facet.planned/v1',
    ...about,
    features: 'features/x',
    cells: [CELL],
    shards: 2,
  });
  const outcomes = images.map(({ key, labels }, i): Outcome => ({
    key,
    label: labels.label,
    species: labels.spoofType ?? null,
    illumination: null,
    cleanScore: 1,
    adversarialScore: -1,
    correct: true,
    fooled: i < fooled,
    linf: 4 / 255,
    l2: 0.01,
  }));
  const bare = images.map(({ key, labels, png }) => ({ key, labels, png }));
  await store.put(keys.evaluation.images(EVALUATION, CELL.id, 0), await writeShard(bare));
  await store.put(keys.evaluation.outcomes(EVALUATION, CELL.id, 0), writeOutcomes(outcomes));
}

/** Another dataset than the one that is trained on: its test split was attacked. */
async function otherDataset(store: FolderStore, faces: readonly StoredSample[]) {
  const other = { name: 'others', version: '1' };
  const test = [await writeDatasetShard(store, other, 'test', 0, faces)];
  const size = { height: SIZE, width: SIZE };
  const splits = { train: [], dev: [], test };
  await publishDataset(store, { ...other, description: 'others', size, maps: ['depth'], splits });
  return other;
}

async function enlarged({ key, labels }: StoredSample): Promise<StoredSample> {
  const side = 2 * SIZE;
  const png = await encodePng({ data: new Uint8Array(3 * side * side), width: side, height: side });
  return { key, labels, png };
}

describe('images by which an evaluation broke a model', () => {
  let others: StoredSample[];
  beforeAll(async () => {
    others = (await facesOf(9)).slice(0, 8);
  });
  const hardening = { ...requestOf(), evaluation: EVALUATION };

  it('are trained on beside the dataset, those that fooled it alone, and are named as where the network comes from', async () => {
    const store = await storeOf(root, 'broken', samples);
    const other = await otherDataset(store, others);
    await evaluated(store, other, others, 6);
    const steps: number[] = [];
    const { digest } = await run(store, hardening, { onStep: (step) => steps.push(step) });
    expect(steps).toHaveLength(2 * Math.floor((SAMPLES + 6) / BATCH));
    expect(steps.length).toBeGreaterThan(2 * Math.floor(SAMPLES / BATCH));
    expect(await records.lineage.find(store, model)).toMatchObject({ dataset, evaluation: EVALUATION });
    const without = await run(await storeOf(root, 'unbroken', samples));
    expect(digest).not.toBe(without.digest);
  });

  it.each<[string, (store: FolderStore) => Promise<void>, string]>([
    [
      'of the dataset that judges',
      (store) => evaluated(store, dataset, samples.slice(0, 8), 6),
      'by which what is trained on it is judged',
    ],
    [
      'that turned nothing',
      async (store) => evaluated(store, await otherDataset(store, others), others, 0),
      'has no image that turned a decision',
    ],
    [
      'of another size',
      async (store) => {
        const wide = await Promise.all(others.map(enlarged));
        await evaluated(store, await otherDataset(store, others), wide, 6);
      },
      `has images of ${2 * SIZE}x${2 * SIZE}, and the network takes ${SIZE}x${SIZE}`,
    ],
    ['that nobody made', () => Promise.resolve(), `there is no evaluation ${EVALUATION}`],
  ])('are refused where they are %s', async (name, make, message) => {
    const store = await storeOf(root, `refused ${name}`, samples);
    await make(store);
    const error = await caught(run(store, hardening));
    expect(error).toMatchObject({ name: 'InputError', field: 'evaluation' });
    expect((error as Error).message).toContain(message);
    expect(isTerminal(error)).toBe(true);
  });
});
