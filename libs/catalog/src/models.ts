/** Published models: an ONNX file and its manifest under a name and version that never change again. */
import { formatRef, keys, ModelManifest, type Ref } from '@facet/contracts';
import { InputError } from '@facet/runtime';
import { canonicalJson, type ObjectStore, readJson, writeJson } from '@facet/store';
import { sha256 } from './digest.js';
import { putOnce, type Source, sourceOf } from './once.js';

export interface PublishedModel {
  readonly ref: Ref;
  readonly bytes: Uint8Array;
  readonly manifest: ModelManifest;
  readonly digest: string;
}

export const findModel = (store: ObjectStore, ref: Ref): Promise<ModelManifest | undefined> =>
  readJson(store, keys.model.manifest(ref), (value) => ModelManifest.parse(value));

/**
 * Stores a checked model; the manifest last, since a model without one does not exist. Publishing the same again
 * changes nothing. The manifest is as fixed as the bytes: with its input prepared otherwise, a network answers otherwise.
 * Errors: InputError where the manifest's digest is another one, or the version holds another model already.
 */
export async function publishModel(
  store: ObjectStore,
  bytes: Uint8Array,
  manifest: ModelManifest,
  signal?: AbortSignal,
): Promise<PublishedModel> {
  const {
    ref,
    manifest: complete,
    digest,
  } = await publishModelFrom(store, sourceOf(bytes), manifest, signal);
  return { ref, bytes, manifest: complete, digest };
}

/** As {@link publishModel}, of bytes that need not fit into memory. `written`: false where it was published before. */
export async function publishModelFrom(
  store: ObjectStore,
  source: Source,
  manifest: ModelManifest,
  signal?: AbortSignal,
): Promise<Omit<PublishedModel, 'bytes'> & { readonly written: boolean }> {
  const { sha256: digest } = source;
  const ref = { name: manifest.name, version: manifest.version };
  if (manifest.sha256 !== undefined && manifest.sha256 !== digest)
    throw new InputError(`says ${manifest.sha256}, the model's bytes have ${digest}`, { field: 'sha256' });
  const complete = { ...manifest, sha256: digest };
  const taken = (by: string) =>
    new InputError(
      `${formatRef(ref)} is published already with ${by}; a version never changes, choose a new one`,
      { field: 'version' },
    );
  if (!(await putOnce(store, keys.model.file(ref), source, signal))) throw taken('other bytes');
  const options = { ifAbsent: true, ...(signal && { signal }) };
  const { written } = await writeJson(store, keys.model.manifest(ref), complete, options);
  const standing = written ? undefined : await findModel(store, ref);
  if (standing !== undefined && canonicalJson(standing) !== canonicalJson(complete))
    throw taken('another manifest');
  return { ref, manifest: complete, digest, written };
}

/** Errors: InputError where there is no such model, or its bytes are not the ones that were published. */
export async function loadModel(store: ObjectStore, ref: Ref): Promise<PublishedModel> {
  const manifest = await findModel(store, ref);
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

/** The versions under which a model of that name is published, in the order of their keys. */
export async function publishedVersions(store: ObjectStore, name: string): Promise<string[]> {
  const found: string[] = [];
  for await (const version of store.folders(keys.model.all(name)))
    if ((await store.get(keys.model.manifest({ name, version }))) !== undefined) found.push(version);
  return found;
}
