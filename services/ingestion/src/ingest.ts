/**
 * Makes a stored dataset of a source. Shards are written under keys that depend on the dataset alone and the manifest
 * comes last, so an ingestion that was interrupted goes on, and one that was finished is found.
 */
import { join } from 'node:path';
import {
  Dataset,
  findDataset,
  publishDataset,
  records,
  SAMPLES_PER_SHARD,
  writeDatasetShard,
} from '@facet/catalog';
import {
  type DatasetManifest,
  type DatasetSource,
  formatRef,
  type Ref,
  type Split,
  SPLITS,
} from '@facet/contracts';
import {
  readFolder,
  shiftSample,
  type StoredSample,
  storeSample,
  SYNTHETIC_SPECIES,
  type SyntheticJob,
  syntheticJobs,
  type SyntheticSpecies,
} from '@facet/datasets';
import { inFile, InputError } from '@facet/runtime';
import type { ObjectStore } from '@facet/store';
import type { ThreadPool } from '@facet/threads';
import { withUnpacked } from './archive.js';

export interface IngestDependencies {
  readonly store: ObjectStore;
  /** Runs `worker.ts`. */
  readonly renderer: ThreadPool;
}

export interface IngestContext {
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
}

type Shards = DatasetManifest['splits'];
type Synthetic = Extract<DatasetSource, { kind: 'synthetic' }>;

/** Cuts a list into pieces of at most `size`. */
function pieces<T>(items: readonly T[], size: number): T[][] {
  const out: T[][] = [];
  for (let from = 0; from < items.length; from += size) out.push(items.slice(from, from + size));
  return out;
}

function speciesNamed(names: readonly string[]): SyntheticSpecies[] {
  return names.map((name, i) => {
    const known = SYNTHETIC_SPECIES.find((species) => species === name);
    if (known === undefined)
      throw new InputError(`"${name}" is not one of ${SYNTHETIC_SPECIES.join(', ')}`, {
        field: `heldOut[${i}]`,
      });
    return known;
  });
}

async function ingestSynthetic(
  { store, renderer }: IngestDependencies,
  ref: Ref,
  source: Synthetic,
  { signal, onProgress }: IngestContext,
): Promise<Shards> {
  const { seed, size, samples: splits, variant } = source;
  const jobs = [...syntheticJobs({ seed, size, splits, variant, heldOut: speciesNamed(source.heldOut) })];
  let done = 0;
  const made = (): void => {
    done++;
    onProgress(done, jobs.length);
  };
  const ingestSplit = async (split: Split): Promise<Shards[Split]> => {
    const parts = pieces<SyntheticJob>(
      jobs.filter((job) => job.split === split),
      SAMPLES_PER_SHARD,
    );
    return Promise.all(
      parts.map(async (part, index) => {
        const rendered = await renderer.run<StoredSample[]>('render', part, { signal, onProgress: made });
        return writeDatasetShard(store, ref, split, index, rendered, signal);
      }),
    );
  };
  const [train, dev, test] = await Promise.all(SPLITS.map(ingestSplit));
  return { train, dev, test };
}

const describeSource = ({ variant, seed, heldOut }: Synthetic): string =>
  `Synthetic faces, ${variant}, seed ${seed}${heldOut.length > 0 ? `, ${heldOut.join(', ')} in test only` : ''}.`;

/** The dataset that is there, if this source makes the same one. */
function sameSource(known: DatasetManifest, source: Synthetic): DatasetManifest {
  const counts = (split: Split): number => known.splits[split].reduce((sum, { samples }) => sum + samples, 0);
  const same =
    known.description === describeSource(source) &&
    known.size !== 'native' &&
    known.size.height === source.size &&
    SPLITS.every((split) => counts(split) === source.samples[split]);
  if (same) return known;
  throw new InputError(
    `${formatRef(known)} is stored already, made otherwise; a version never changes, choose a new one`,
    { field: 'version' },
  );
}

const MANIFEST = 'dataset.json';
const manifestOf = (folder: string): string => join(folder, MANIFEST);

async function ingestFolder(
  { store }: IngestDependencies,
  ref: Ref,
  path: string,
  { signal, onProgress }: IngestContext,
): Promise<Shards> {
  const folder = await readFolder(path);
  const { name, version } = folder.manifest;
  if (name !== ref.name || version !== ref.version)
    throw new InputError(`is ${formatRef({ name, version })}, expected ${formatRef(ref)}`, {
      field: 'name',
    });
  const shards: Shards = { train: [], dev: [], test: [] };
  let waiting: Record<Split, StoredSample[]> = { train: [], dev: [], test: [] };
  let done = 0;
  const flush = async (split: Split): Promise<void> => {
    const index = shards[split].length;
    shards[split].push(await writeDatasetShard(store, ref, split, index, waiting[split], signal));
    waiting = { ...waiting, [split]: [] };
  };
  for await (const sample of folder.samples()) {
    signal.throwIfAborted();
    waiting[sample.split].push(await storeSample(sample));
    done++;
    onProgress(done, folder.manifest.samples.length);
    if (waiting[sample.split].length === SAMPLES_PER_SHARD) await flush(sample.split);
  }
  for (const split of SPLITS) if (waiting[split].length > 0) await flush(split);
  return shards;
}

/** Dev and test of another dataset; there is nothing to train on. */
async function ingestShifted(
  { store }: IngestDependencies,
  ref: Ref,
  { of, seed }: Extract<DatasetSource, { kind: 'shifted' }>,
  { signal, onProgress }: IngestContext,
): Promise<DatasetManifest> {
  const dataset = await Dataset.open(store, of);
  const splits: Shards = { train: [], dev: [], test: [] };
  const total = dataset.count('dev') + dataset.count('test');
  let done = 0;
  for (const split of ['dev', 'test'] as const) {
    const all = Array.from({ length: dataset.count(split) }, (_, i) => i);
    for (const indices of pieces(all, SAMPLES_PER_SHARD)) {
      signal.throwIfAborted();
      const samples = await Promise.all(
        (await dataset.at(split, indices)).map((sample) => shiftSample(sample, seed)),
      );
      splits[split].push(await writeDatasetShard(store, ref, split, splits[split].length, samples, signal));
      done += samples.length;
      onProgress(done, total);
    }
  }
  const description = `${formatRef(of)} under blur, noise, gamma and white balance, seed ${seed}.`;
  return publishDataset(store, { ...ref, description, size: dataset.manifest.size, maps: [], splits });
}

/** Errors: DatasetError or InputError naming the file and field of what is wrong with the source. */
export async function ingest(
  dependencies: IngestDependencies,
  ref: Ref,
  source: DatasetSource,
  context: IngestContext,
): Promise<DatasetManifest> {
  const { store } = dependencies;
  if (source.kind === 'synthetic') {
    const known = await findDataset(store, ref);
    if (known !== undefined) return sameSource(known, source);
    // What is made of it later, such as the same task under another camera, is made of its source.
    await records.registration.save(store, { schema: 'facet.registration/v1', source }, ref);
    const splits = await ingestSynthetic(dependencies, ref, source, context);
    const size = { height: source.size, width: source.size };
    const description = describeSource(source);
    return publishDataset(store, { ...ref, description, size, maps: ['depth', 'reflection'], splits });
  }
  const ingestAs = async (path: string, description: string): Promise<DatasetManifest> => {
    const splits = await ingestFolder(dependencies, ref, path, context);
    return publishDataset(store, { ...ref, description, size: 'native', maps: [], splits });
  };
  if (source.kind === 'shifted') return ingestShifted(dependencies, ref, source, context);
  if (source.kind === 'folder')
    return inFile(manifestOf(source.path), () => ingestAs(source.path, 'A folder of images.'));
  const archive = await store.get(source.key);
  if (archive === undefined) {
    // It goes once its dataset is there.
    const known = await findDataset(store, ref);
    if (known !== undefined) return known;
    throw new InputError('is not in the store any more; upload it again', { file: source.key });
  }
  const { signal } = context;
  const manifest = await withUnpacked(
    archive.stream(),
    (path) => inFile(MANIFEST, () => ingestAs(path, 'An archive of images.')),
    { signal },
  );
  await store.delete(source.key);
  return manifest;
}
