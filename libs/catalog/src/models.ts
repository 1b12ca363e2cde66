/** Published models: an ONNX file and its manifest under a name and version that never change again. */
import { formatRef, keys, ModelManifest, type Ref } from '@facet/contracts';
import { InputError } from '@facet/runtime';
import { type ObjectStore, readJson, writeJson } from '@facet/store';
import { sha256 } from './digest.js';

export interface PublishedModel {
  readonly ref: Ref;
  readonly bytes: Uint8Array;
  readonly manifest: ModelManifest;
  readonly digest: string;
}

/**
 * Stores a checked model; the manifest last, since a model without one does not exist. Publishing the same bytes again
 * changes nothing.
 * Errors: InputError where the manifest's digest is another one, or the version holds other bytes already.
 */
export async function publishModel(
  store: ObjectStore,
  bytes: Uint8Array,
  manifest: ModelManifest,
  signal?: AbortSignal,
): Promise<PublishedModel> {
  const digest = sha256(bytes);
  const ref = { name: manifest.name, version: manifest.version };
  if (manifest.sha256 !== undefined && manifest.sha256 !== digest)
    throw new InputError(`says ${manifest.sha256}, the model's bytes have ${digest}`, { field: 'sha256' });
  const complete = { ...manifest, sha256: digest };
  const existing = await readJson(store, keys.model.manifest(ref), (value) => ModelManifest.parse(value));
  if (existing !== undefined && existing.sha256 !== digest)
    throw new InputError(
      `${formatRef(ref)} is published already with other bytes; a version never changes, choose a new one`,
      { field: 'version' },
    );
  const options = signal === undefined ? {} : { signal };
  await store.put(keys.model.file(ref), bytes, options);
  await writeJson(store, keys.model.manifest(ref), complete, options);
  return { ref, bytes, manifest: complete, digest };
}

/** Errors: InputError where there is no such model, or its bytes are not the ones that were published. */
export async function loadModel(store: ObjectStore, ref: Ref): Promise<PublishedModel> {
  const manifest = await readJson(store, keys.model.manifest(ref), (value) => ModelManifest.parse(value));
  const object = await store.get(keys.model.file(ref));
  if (manifest === undefined || object === undefined)
    throw new InputError(`there is no model ${formatRef(ref)}`, { field: 'model' });
  const bytes = await object.bytes();
  const digest = sha256(bytes);
  if (digest !== manifest.sha256)
    throw new InputError('the stored bytes are not the ones that were published', {
      file: keys.model.file(ref),
    });
  return { ref, bytes, manifest, digest };
}
