/**
 * Unpacks an uploaded tar of labelled images into a folder of its own. It comes from outside: only plain files and folders
 * with plain relative names are taken, so that nothing is written anywhere else, and no more than the disk should bear.
 */
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { InputError } from '@facet/runtime';
import { extract, type Header } from 'tar-stream';

export interface ArchiveLimits {
  readonly bytes: number;
  readonly entryBytes: number;
  readonly entries: number;
}

export const ARCHIVE_LIMITS: ArchiveLimits = {
  bytes: 64 * 2 ** 30,
  entryBytes: 256 * 2 ** 20,
  entries: 1_000_000,
};

const PART = /^(?!\.{1,2}$)[^/\\\0]{1,255}$/;
const MAX_NAME_LENGTH = 500;
/** What tar itself adds, and what says nothing about a file. */
const IGNORED = new Set(['pax-header', 'pax-global-header']);

/** The parts of an entry's name. Errors: InputError where it could lead out of the folder. */
function partsOf(name: string): string[] {
  const parts = name.replace(/^\.\//, '').replace(/\/$/, '').split('/');
  if (name.length > MAX_NAME_LENGTH || !parts.every((part) => PART.test(part)))
    throw new InputError('is no plain relative path', { file: name.slice(0, 100) });
  return parts;
}

/** Runs `work` with the folder, which is gone afterwards. Errors: InputError naming the entry that is not taken. */
export async function withUnpacked<T>(
  chunks: AsyncIterable<Uint8Array>,
  work: (folder: string) => Promise<T>,
  { signal, limits = ARCHIVE_LIMITS }: { readonly signal: AbortSignal; readonly limits?: ArchiveLimits },
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'facet-archive-'));
  try {
    await unpack(chunks, folder, signal, limits);
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function unpack(
  chunks: AsyncIterable<Uint8Array>,
  folder: string,
  signal: AbortSignal,
  limits: ArchiveLimits,
): Promise<void> {
  const tar = extract();
  const feeding = pipeline(Readable.from(chunks), tar, { signal });
  // An entry that is cut short would wait for the rest of itself for ever.
  const broken = new AbortController();
  const stopping = AbortSignal.any([signal, broken.signal]);
  feeding.catch((error: unknown) => broken.abort(error));
  let bytes = 0;
  let entries = 0;
  const check = ({ name, size = 0, type }: Header) => {
    const refuse = (problem: string) => new InputError(problem, { file: name.slice(0, 100) });
    if (type !== 'file' && type !== 'directory') throw refuse(`is a ${type ?? 'thing'}, not a plain file`);
    // tar-stream gives null for some sizes that no file has, and then waits for such an entry's end for ever.
    if (!Number.isSafeInteger(size)) throw refuse('has a size that cannot be read');
    if (size > limits.entryBytes) throw refuse(`has ${size} bytes, more than ${limits.entryBytes}`);
    bytes += size;
    if (bytes > limits.bytes) throw refuse(`is more than the ${limits.bytes} bytes of an archive`);
    entries++;
    if (entries > limits.entries) throw refuse(`is one entry more than the ${limits.entries} allowed`);
  };
  try {
    for await (const entry of tar) {
      const { header } = entry;
      if (!IGNORED.has(header.type ?? '')) {
        check(header);
        const parts = partsOf(header.name);
        if (header.type === 'file') {
          const path = join(folder, ...parts);
          await mkdir(dirname(path), { recursive: true });
          await pipeline(entry, createWriteStream(path, { flags: 'wx', mode: 0o600 }), { signal: stopping });
          continue;
        }
      }
      entry.resume();
    }
    await feeding;
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof InputError) throw cause;
    const { message } = (broken.signal.aborted ? broken.signal.reason : cause) as Error;
    throw new InputError(`is no tar, or a damaged one: ${message}`, {
      file: 'the archive',
      cause,
    });
  }
}
