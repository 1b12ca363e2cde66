/** Stored datasets: shards per split and a manifest, written last. */
import { DatasetManifest, formatRef, keys, type Ref, type Split, SPLITS } from '@facet/contracts';
import { readShard, type StoredSample, writeShard } from '@facet/datasets';
import { InputError } from '@facet/runtime';
import { type ObjectStore, readJson, writeJson } from '@facet/store';
import { digestOf, sha256 } from './digest.js';

/** Samples per stored shard: a few MB of small images, decoded in a moment. */
export const SAMPLES_PER_SHARD = 256;

type ShardEntry = DatasetManifest['splits'][Split][number];

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
  const digest = sha256(bytes);
  const { written } = await store.put(key, bytes, { ifAbsent: true, ...(signal && { signal }) });
  const standing = written ? undefined : await store.get(key);
  if (standing !== undefined && sha256(await standing.bytes()) !== digest)
    throw new InputError(
      `${formatRef(ref)} is stored already with other samples; a version never changes, choose a new one`,
      { field: 'version' },
    );
  return { key, samples: samples.length, sha256: digest };
}

/** Writes the manifest: from now on the dataset exists. */
export async function publishDataset(
  store: ObjectStore,
  dataset: Omit<DatasetManifest, 'schema' | 'digest'>,
): Promise<DatasetManifest> {
  const digests = SPLITS.map((split) => dataset.splits[split].map((shard) => shard.sha256));
  const manifest: DatasetManifest = { schema: 'facet.dataset/v1', ...dataset, digest: digestOf(digests) };
  await writeJson(store, keys.dataset.manifest({ name: dataset.name, version: dataset.version }), manifest);
  return manifest;
}

export const findDataset = (store: ObjectStore, ref: Ref): Promise<DatasetManifest | undefined> =>
  readJson(store, keys.dataset.manifest(ref), (value) => DatasetManifest.parse(value));

/** A dataset that exists, to read samples from. */
export class Dataset {
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
    for (const shard of this.manifest.splits[split]) yield* await this.#read(shard);
  }

  /** The samples at `indices` of a split, which must ascend; only the shards that hold them are read. */
  async at(split: Split, indices: readonly number[]): Promise<StoredSample[]> {
    const found: StoredSample[] = [];
    let first = 0;
    for (const shard of this.manifest.splits[split]) {
      const inside = indices.filter((index) => index >= first && index < first + shard.samples);
      if (inside.length > 0) {
        const samples = await this.#read(shard);
        for (const index of inside) found.push(samples[index - first]);
      }
      first += shard.samples;
    }
    return found;
  }

  async #read(shard: ShardEntry): Promise<StoredSample[]> {
    const object = await this.store.get(shard.key);
    if (object === undefined) throw new InputError('is missing from the store', { file: shard.key });
    const bytes = await object.bytes();
    if (sha256(bytes) !== shard.sha256)
      throw new InputError('is not what the manifest says; ingest the dataset again', { file: shard.key });
    const samples: StoredSample[] = [];
    for await (const sample of readShard(bytes, { name: shard.key })) samples.push(sample);
    return samples;
  }
}

/** `count` indices of 0..total-1, spread evenly and ascending; all of them where there are fewer. */
export function spread(total: number, count: number): number[] {
  const taken = Math.min(total, count);
  return Array.from({ length: taken }, (_, i) => Math.floor((i * total) / taken));
}
