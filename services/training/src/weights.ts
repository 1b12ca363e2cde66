/** Initial weights that somebody handed in: safetensors or an ONNX model, in the store under their digest. */
import { readSafetensors, sha256 } from '@facet/catalog';
import { type InitialWeights, keys } from '@facet/contracts';
import type { WeightSource } from '@facet/networks';
import { raiseOpset, readModel, tensorF32 } from '@facet/onnx';
import { InputError } from '@facet/runtime';
import type { ObjectStore } from '@facet/store';

/** A safetensors file begins with its header's length, and then the header, which is a JSON object. */
export const isSafetensors = (bytes: Uint8Array): boolean => bytes.length > 8 && bytes[8] === 0x7b;

/** Errors: InputError where there are none, or they are not what their digest says. */
export async function loadWeights(
  store: ObjectStore,
  { sha256: digest }: InitialWeights,
): Promise<WeightSource> {
  const key = keys.weights.one(digest);
  const object = await store.get(key);
  if (object === undefined)
    throw new InputError('there are no such weights in the store', { file: key, field: 'recipe.initial' });
  const bytes = await object.bytes();
  if (sha256(bytes) !== digest) throw new InputError('is not what its digest says', { file: key });
  if (!isSafetensors(bytes)) return raiseOpset(readModel(bytes));
  const { tensors } = readSafetensors(bytes, key);
  return new Map([...tensors].map(([name, { dims, data }]) => [name, tensorF32(dims, data)]));
}
