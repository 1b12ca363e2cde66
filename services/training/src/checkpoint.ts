/** A training's checkpoints in the store: one object, replaced as a whole, so there is always a complete last one. */
import { readSafetensors, type StoredTensor, writeSafetensors } from '@facet/catalog';
import { keys, TrainingHistory } from '@facet/contracts';
import { type Checkpoint, historyOf, type TrainerState } from '@facet/learning';
import { tensorF32 } from '@facet/onnx';
import { InputError } from '@facet/runtime';
import { type ObjectStore, writeJson } from '@facet/store';
import { z } from 'zod';

/** Beside the training's own state, which has the names of the network's weights. */
const BEST = 'best/';
const PRIOR = 'prior/';

const Progress = z.strictObject({
  step: z.int().min(0),
  epoch: z.int().min(0),
  epochs: TrainingHistory.shape.epochs,
  sums: z.strictObject({ steps: z.int(), losses: z.record(z.string(), z.number()) }),
});

const stored = (prefix: string, state: TrainerState | undefined): [string, StoredTensor][] =>
  [...(state ?? [])].map(([name, { dims, data }]) => [
    `${prefix}${name}`,
    { dims, data: data as Float32Array },
  ]);

export async function saveCheckpoint(
  store: ObjectStore,
  training: string,
  { state, best, priors, ...progress }: Checkpoint,
): Promise<void> {
  const tensors = new Map<string, StoredTensor>([
    ...stored('', state),
    ...stored(BEST, best),
    ...[...priors].flatMap(([name, { weights, bias }]): [string, StoredTensor][] => [
      [`${PRIOR}${name}/weights`, { dims: [weights.length], data: weights }],
      [`${PRIOR}${name}/bias`, { dims: [1], data: Float64Array.of(bias) }],
    ]),
  ]);
  const metadata = { progress: JSON.stringify(progress) };
  await store.put(keys.training.checkpoint(training), writeSafetensors(tensors, metadata));
}

/** The last checkpoint, or undefined before the first. Errors: InputError where it is damaged. */
export async function loadCheckpoint(store: ObjectStore, training: string): Promise<Checkpoint | undefined> {
  const key = keys.training.checkpoint(training);
  const object = await store.get(key);
  if (object === undefined) return undefined;
  const { tensors, metadata } = readSafetensors(await object.bytes(), key);
  const state = new Map();
  const best = new Map();
  const priors = new Map<string, { weights: Float32Array; bias: number }>();
  for (const [name, { dims, data }] of tensors) {
    if (name.startsWith(BEST)) best.set(name.slice(BEST.length), tensorF32(dims, data));
    else if (!name.startsWith(PRIOR)) state.set(name, tensorF32(dims, data));
    else if (name.endsWith('/weights')) {
      const of = name.slice(PRIOR.length, -'/weights'.length);
      const bias = tensors.get(`${PRIOR}${of}/bias`)?.data[0];
      if (bias === undefined) throw new InputError(`has no bias for the prior of ${of}`, { file: key });
      priors.set(of, { weights: Float32Array.from(data), bias });
    }
  }
  return { ...progressOf(metadata, key), state, best: best.size === 0 ? undefined : best, priors };
}

function progressOf(metadata: Readonly<Record<string, string>>, file: string): z.infer<typeof Progress> {
  try {
    return Progress.parse(JSON.parse(metadata['progress'] ?? ''));
  } catch (cause) {
    throw new InputError('does not say how far the training is', { file, cause });
  }
}

/** For people and programs that watch: the epochs that ended. */
export const saveHistory = async (
  store: ObjectStore,
  training: string,
  { epochs }: Pick<Checkpoint, 'epochs'>,
): Promise<void> => {
  await writeJson(store, keys.training.history(training), historyOf(epochs));
};
