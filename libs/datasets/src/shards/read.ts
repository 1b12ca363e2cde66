/**
 * Reads WebDataset shards. They may come from anywhere: every entry's type, name and size is checked before its
 * bytes are kept, and an error names the entry.
 */
import { SampleKey } from '@facet/contracts';
import { extract, type Header } from 'tar-stream';
import { DatasetError } from '../errors.js';
import { invalid } from '../issues.js';
import { reasonOf } from '../png.js';
import { asBuffer } from './as-buffer.js';
import { SampleSidecar, type StoredSample } from './sample.js';

export interface ShardLimits {
  readonly shardBytes: number;
  /** Of one entry: keeps a single huge image from exhausting memory when it is decoded. */
  readonly entryBytes: number;
  /** Keeps millions of empty entries from doing it. */
  readonly samples: number;
}

export const SHARD_LIMITS: ShardLimits = {
  shardBytes: 2 ** 30,
  entryBytes: 64 * 2 ** 20,
  samples: 100_000,
};

const SIDECAR_BYTES = 64 * 2 ** 10;
const BLOCK_BYTES = 512;
/** Two empty blocks end every tar file. */
const END_BYTES = 2 * BLOCK_BYTES;
const SUFFIXES = ['png', 'json', 'depth.png', 'reflection.png'] as const;
type Suffix = (typeof SUFFIXES)[number];
type Parts = Partial<Record<Suffix, Entry['chunks']>>;

/**
 * The samples in the order of the shard, each complete: an image and its labels at least. All entries are checked before
 * the first sample is given.
 * @throws DatasetError naming the entry that is wrong; `name` stands for the shard.
 */
export async function* readShard(
  bytes: Uint8Array,
  { name = 'shard', limits = SHARD_LIMITS }: { name?: string; limits?: ShardLimits } = {},
): AsyncGenerator<StoredSample> {
  if (bytes.length > limits.shardBytes)
    throw new DatasetError(`has ${bytes.length} bytes, more than ${limits.shardBytes}`, name);
  const whole = bytes.length >= END_BYTES && bytes.length % BLOCK_BYTES === 0;
  if (!whole || bytes.subarray(-END_BYTES).some((byte) => byte !== 0))
    throw new DatasetError('is cut short, or no tar file: it does not end as one', name);
  const samples = new Map<string, Parts>();
  let last: string | undefined;
  await eachEntry(bytes, name, limits, (entry) => {
    const { key, suffix } = entry;
    if (key !== last) {
      if (samples.has(key))
        throw new DatasetError('stands apart from the rest of its sample', name, entry.name);
      if (samples.size === limits.samples)
        throw new DatasetError(`is one sample more than the ${limits.samples} allowed`, name, entry.name);
      samples.set(key, {});
      last = key;
    }
    const parts = samples.get(key)!;
    if (parts[suffix]) throw new DatasetError('occurs twice', name, entry.name);
    parts[suffix] = entry.chunks;
  });
  for (const [key, parts] of samples) yield sampleOf(key, parts, name);
}

interface Entry {
  readonly name: string;
  readonly key: string;
  readonly suffix: Suffix;
  /** Views of the shard's bytes. */
  readonly chunks: readonly Uint8Array[];
}

/**
 * By the parser's events, not its iterators: those make some thirty promises an entry, which is most of what a process did
 * between its shards' computations, and more so where every promise carries the context of a trace.
 */
function eachEntry(
  bytes: Uint8Array,
  shard: string,
  limits: ShardLimits,
  take: (entry: Entry) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error): void =>
      reject(
        cause instanceof DatasetError
          ? cause
          : new DatasetError(`cannot be read as a tar file: ${reasonOf(cause)}`, shard, undefined, { cause }),
      );
    const tar = extract().on('finish', resolve).on('error', fail);
    tar.on('entry', (header, stream, next) => {
      const chunks: Uint8Array[] = [];
      stream.on('data', (chunk) => chunks.push(chunk as Uint8Array));
      stream.on('end', () => next());
      stream.on('error', fail);
      try {
        take({ ...placeOf(header, shard, limits), chunks });
      } catch (error) {
        next(error as Error);
      }
    });
    // A view, not a copy; the reader keeps nothing of it.
    tar.end(asBuffer(bytes));
  });
}

function placeOf(
  { name, type, size = 0 }: Header,
  shard: string,
  limits: ShardLimits,
): Omit<Entry, 'chunks'> {
  if (type !== 'file') throw new DatasetError(`is a ${type}; a shard holds files only`, shard, name);
  const dot = name.indexOf('.');
  const key = name.slice(0, Math.max(0, dot));
  const suffix = SUFFIXES.find((known) => name.slice(dot + 1) === known);
  if (suffix === undefined || !SampleKey.safeParse(key).success)
    throw new DatasetError(`is not <key>.${SUFFIXES.join(', <key>.')}`, shard, name);
  // tar-stream gives null for some sizes that no file has, and then waits for such an entry's end for ever.
  if (!Number.isSafeInteger(size)) throw new DatasetError('has a size that cannot be read', shard, name);
  const most = suffix === 'json' ? Math.min(SIDECAR_BYTES, limits.entryBytes) : limits.entryBytes;
  if (size > most) throw new DatasetError(`has ${size} bytes, more than ${most}`, shard, name);
  return { name, key, suffix };
}

/** A copy: a sample must not keep its whole shard in memory. */
const copyOf = (chunks: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(chunks));

function sampleOf(key: string, parts: Parts, shard: string): StoredSample {
  const { png, json, 'depth.png': depth, 'reflection.png': reflection } = parts;
  if (!png) throw new DatasetError('is missing', shard, `${key}.png`);
  if (!json) throw new DatasetError('is missing', shard, `${key}.json`);
  const { box, ...labels } = parseSidecar(copyOf(json), shard, `${key}.json`);
  return {
    key,
    png: copyOf(png),
    labels,
    ...(box && { box }),
    ...(depth && { depth: copyOf(depth) }),
    ...(reflection && { reflection: copyOf(reflection) }),
  };
}

function parseSidecar(json: Uint8Array, shard: string, name: string): SampleSidecar {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch (cause) {
    throw new DatasetError(`is no JSON: ${reasonOf(cause)}`, shard, name, { cause });
  }
  const parsed = SampleSidecar.safeParse(value);
  if (!parsed.success) throw invalid(parsed.error, `${shard}: ${name}`);
  return parsed.data;
}
