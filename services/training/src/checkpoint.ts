/** A training's checkpoints in the store: one object, replaced as a whole, so there is always a complete last one. */
import { readSafetensors, type StoredTensor, writeSafetensors } from '@facet/catalog';
import { keys } from '@facet/contracts';
import type { Checkpoint } from '@facet/learning';
import { tensorF32 } from '@facet/onnx';
import { InputError } from '@facet/runtime';
import type { ObjectStore } from '@facet/store';

export async function saveCheckpoint(
  store: ObjectStore,
  training: string,
  checkpoint: Checkpoint,
): Promise<void> {
  const tensors = new Map<string, StoredTensor>(
    [...checkpoint.state].map(([name, { dims, data }]) => [name, { dims, data: data as Float32Array }]),
  );
  const metadata = { step: String(checkpoint.step), epoch: String(checkpoint.epoch) };
  await store.put(keys.training.checkpoint(training), writeSafetensors(tensors, metadata));
}

/** The last checkpoint, or undefined before the first. Errors: InputError where it is damaged. */
export async function loadCheckpoint(store: ObjectStore, training: string): Promise<Checkpoint | undefined> {
  const key = keys.training.checkpoint(training);
  const object = await store.get(key);
  if (object === undefined) return undefined;
  const { tensors, metadata } = readSafetensors(await object.bytes(), key);
  const [step, epoch] = [Number(metadata['step']), Number(metadata['epoch'])];
  if (!Number.isInteger(step) || !Number.isInteger(epoch))
    throw new InputError('does not say its step and epoch', { file: key });
  const state = new Map([...tensors].map(([name, { dims, data }]) => [name, tensorF32(dims, data)]));
  return { step, epoch, state };
}
