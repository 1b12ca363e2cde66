/** Stored datasets: shards per split and a manifest, written last. */
import { DatasetManifest, formatRef, keys, type Ref, type Split, SPLITS } from '@facet/contracts';
import { readShard, type StoredSample, writeShard } from '@facet/datasets';
import { Random } from '@facet/random';
import { InputError } from '@facet/runtime';
import { type ObjectStore, readJson, type StoredObject, writeJson } from '@facet/store';
import { digestOf, sha256 } from './digest.js';
import { KeptShards } from './kept-shards.js';
import { putOnce, sourceOf } from './once.js';

/** Samples per stored shard: a few MB of small images, decoded in a moment. */
export const SAMPLES_PER_SHARD = 256;

/** Of shards that an open dataset keeps beside those that are being read. */
const KEPT_BYTES = 64 * 1024 * 1024;

type ShardEntry = DatasetManifest['splits'][Split][number];

const changed = (ref: Ref): InputError =>
  new InputError(
    `${formatRef(ref)} is stored already with other samples; a version never changes, choose a new one`,
    { field: 'version' },
  );

/**
 * Writes one shard of a dataset that is being made; the same samples give the same bytes.
 * Errors: InputError where the version holds other samples already.
 */
export async function writeDatasetShard(
  store: ObjectStore,
  ref: Ref,
  split: Split,
  index: number,
  samples: readonly StoredSample[],
  signal?: AbortSignal,
): Promise<ShardEntry> {
  const bytes = await writeShard(samples);
  const key = keys.dataset.shard(ref, split, index);
  const source = sourceOf(bytes);
  if (!(await putOnce(store, key, source, signal))) throw changed(ref);
  return { key, samples: samples.length, sha256: source.sha256 };
}

/**
 * Writes the manifest: from now on the dataset exists. Publishing it again gives the manifest that stands.
 * Errors: InputError where the version holds other samples already.
 */
export async function publishDataset(
  store: ObjectStore,
  dataset: Omit<DatasetManifest, 'schema' | 'digest'>,
): Promise<DatasetManifest> {
  const ref = { name: dataset.name, version: dataset.version };
  const digests = SPLITS.map((split) => dataset.splits[split].map((shard) => shard.sha256));
  const manifest: DatasetManifest = { schema: 'facet.dataset/v1', ...dataset, digest: digestOf(digests) };
  const { written } = await writeJson(store, keys.dataset.manifest(ref), manifest, { ifAbsent: true });
  const standing = written ? undefined : await findDataset(store, ref);
  if (standing !== undefined && standing.digest !== manifest.digest) throw changed(ref);
  return standing ?? manifest;
}

export const findDataset = (store: ObjectStore, ref: Ref): Promise<DatasetManifest | undefined> =>
  readJson(store, keys.dataset.manifest(ref), (value) => DatasetManifest.parse(value));

/** A dataset that exists, to read samples from. */
export class Dataset {
  readonly #kept = new KeptShards(KEPT_BYTES);

  private constructor(
    private readonly store: ObjectStore,
    readonly manifest: DatasetManifest,
  ) {}

  /** Errors: InputError where there is no such dataset. */
  static async open(store: ObjectStore, ref: Ref): Promise<Dataset> {
    const manifest = await findDataset(store, ref);
    if (manifest === undefined)
      throw new InputError(`there is no dataset ${formatRef(ref)}`, { field: 'dataset' });
    return new Dataset(store, manifest);
  }

  count(split: Split): number {
    return this.manifest.splits[split].reduce((sum, shard) => sum + shard.samples, 0);
  }

  /** Samples of a split in their stored order, one shard in memory at a time. */
  async *samples(split: Split): AsyncGenerator<StoredSample> {
    for (const shard of this.manifest.splits[split]) yield* await this.#read(shard, await this.#find(shard));
  }

  /**
   * The samples at `indices` of a split; only the shards that hold them are read, and kept for the next indices. That
   * they still are in the store is asked each time, so that nothing is done with faces that were deleted.
   * Errors: RangeError where the indices do not ascend, or there is no such sample.
   */
  async at(split: Split, indices: readonly number[]): Promise<StoredSample[]> {
    const total = this.count(split);
    indices.forEach((index, i) => {
      const least = i === 0 ? 0 : indices[i - 1] + 1;
      if (!Number.isInteger(index) || index < least || index >= total)
        throw new RangeError(`index ${index} of ${split} is not between ${least} and ${total - 1}`);
    });
    const found: StoredSample[] = [];
    let first = 0;
    for (const shard of this.manifest.splits[split]) {
      const inside = indices.filter((index) => index >= first && index < first + shard.samples);
      if (inside.length > 0) {
        const object = await this.#find(shard);
        const samples = await this.#kept.get(shard.key, object.size, () => this.#read(shard, object));
        for (const index of inside) found.push(samples[index - first]);
      }
      first += shard.samples;
    }
    return found;
  }

  async #find({ key }: ShardEntry): Promise<StoredObject> {
    const object = await this.store.get(key);
    if (object === undefined) throw new InputError('is missing from the store', { file: key });
    return object;
  }

  async #read(shard: ShardEntry, object: StoredObject): Promise<StoredSample[]> {
    const bytes = await object.bytes();
    if (sha256(bytes) !== shard.sha256)
      throw new InputError('is not what the manifest says; ingest the dataset again', { file: shard.key });
    const samples: StoredSample[] = [];
    for await (const sample of readShard(bytes, { name: shard.key })) samples.push(sample);
    if (samples.length !== shard.samples)
      throw new InputError(`holds ${samples.length} samples, its manifest says ${shard.samples}`, {
        file: shard.key,
      });
    return samples;
  }
}

/**
 * `count` indices of 0..total-1, ascending, one from each of as many equal stretches; all of them where there are fewer.
 * Which one of a stretch is drawn, always alike: datasets often alternate between live and spoof, and equal steps
 * through such a one would meet a single class.
 */
export function spread(total: number, count: number): number[] {
  const taken = Math.min(total, count);
  const random = new Random(0, 'spread', total, taken);
  return Array.from({ length: taken }, (_, i) => {
    const from = Math.floor((i * total) / taken);
    const to = Math.floor(((i + 1) * total) / taken);
    return from + random.integer(to - from);
  });
}
