/**
 * Writes WebDataset shards: tar files in which the entries of one sample stand together under one key. The same
 * samples give the same bytes, in whatever order they come: sorted by key, no times, no owners.
 */
import { SampleKey } from '@facet/contracts';
import { pack, type Pack } from 'tar-stream';
import { DatasetError } from '../errors.js';
import { asBuffer } from './as-buffer.js';
import { formatSidecar, type StoredSample } from './sample.js';

const HEADER = {
  mtime: new Date(0),
  mode: 0o644,
  uid: 0,
  gid: 0,
  uname: '',
  gname: '',
  type: 'file',
} as const;

/** @throws DatasetError on a key that is unsafe or occurs twice. */
export async function writeShard(
  samples: AsyncIterable<StoredSample> | Iterable<StoredSample>,
): Promise<Uint8Array> {
  const sorted: StoredSample[] = [];
  for await (const sample of samples) sorted.push(sample);
  sorted.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  const tar = pack();
  sorted.forEach((sample, i) => {
    if (!SampleKey.safeParse(sample.key).success)
      throw new DatasetError('is no key: letters, digits, _ and - only', sample.key);
    if (i > 0 && sorted[i - 1].key === sample.key) throw new DatasetError('occurs twice', sample.key);
    for (const [suffix, bytes] of entriesOf(sample))
      tar.entry({ ...HEADER, name: `${sample.key}.${suffix}` }, asBuffer(bytes));
  });
  tar.finalize();
  return bytesOf(tar);
}

/** By its events: its iterator makes promises for every header, every entry and every padding. */
function bytesOf(tar: Pack): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    tar.on('data', (chunk) => chunks.push(chunk as Uint8Array));
    tar.on('error', reject);
    tar.on('end', () => {
      const { buffer, byteOffset, length } = Buffer.concat(chunks);
      resolve(new Uint8Array(buffer, byteOffset, length));
    });
  });
}

function entriesOf(sample: StoredSample): (readonly [string, Uint8Array])[] {
  const entries: (readonly [string, Uint8Array])[] = [];
  if (sample.depth) entries.push(['depth.png', sample.depth]);
  entries.push(['json', new TextEncoder().encode(formatSidecar(sample))], ['png', sample.png]);
  if (sample.reflection) entries.push(['reflection.png', sample.reflection]);
  return entries;
}
