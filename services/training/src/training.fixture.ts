/** What these tests train: a small network on a few rendered faces, in a store of their own. */
import { join } from 'node:path';
import { publishDataset, writeDatasetShard } from '@facet/catalog';
import { TrainingRecipe, type TrainingRequest } from '@facet/contracts';
import { storeFace, type StoredSample, syntheticDataset } from '@facet/datasets';
import { FolderStore } from '@facet/store';
import type { Backend } from './backend.js';

export const SIZE = 16;
export const SAMPLES = 26;
export const dataset = { name: 'faces', version: '1' };
export const model = { name: 'trained', version: '1' };

/** What tests train with. */
export const ONNX_RUNTIME: Backend = { name: 'onnxruntime' };

/** @param changes of the recipe */
export const requestOf = (changes: object = {}): TrainingRequest => ({
  model,
  dataset,
  recipe: TrainingRecipe.parse({
    schema: 'facet.recipe/v1',
    seed: 2,
    backbone: 'resnet-small',
    facets: ['attributes', 'depth'],
    epochs: 2,
    batch: 8,
    parts: 2,
    learningRate: 0.02,
    optimiser: { kind: 'sgd', momentum: 0.9, nesterov: false, weightDecay: 1e-4 },
    schedule: { kind: 'cosine' },
    warmupSteps: 2,
    checkpointSteps: 2,
    ...changes,
  }),
});

/** @param seed of other people, too */
export async function facesOf(seed = 1): Promise<StoredSample[]> {
  const samples: StoredSample[] = [];
  const splits = { train: SAMPLES, dev: 0, test: 0 };
  for await (const { key, sample } of syntheticDataset({ seed, size: SIZE, splits }))
    samples.push(await storeFace(key, sample, SIZE));
  return samples;
}

/** A store that holds {@link dataset}, of these samples to train on. */
export async function storeOf(
  root: string,
  name: string,
  samples: readonly StoredSample[],
  size: 'native' | { height: number; width: number } = { height: SIZE, width: SIZE },
): Promise<FolderStore> {
  const store = await FolderStore.open(join(root, name));
  const train = [await writeDatasetShard(store, dataset, 'train', 0, samples)];
  await publishDataset(store, {
    ...dataset,
    description: 'small',
    size,
    maps: ['depth'],
    splits: { train, dev: [], test: [] },
  });
  return store;
}

export const caught = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );
