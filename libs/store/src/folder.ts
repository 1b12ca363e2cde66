/**
 * The store as a folder: the object `a/b.json` is the file `a/b.json`, so a person can look at it. A put writes a
 * file in a private folder of the same volume, syncs it and renames it into place (or, with `ifAbsent`, hard-links
 * it, which exactly one of several writers can), so a process that is killed at any moment leaves either the old
 * object or the new one. Several processes may share the folder. What the kill leaves in the private folder is
 * swept when the store is opened. Folders that a delete leaves empty are removed, as S3 has none.
 */
import { randomUUID } from 'node:crypto';
import { createReadStream, type Dirent } from 'node:fs';
import { link, mkdir, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { checkFolder, checkKey, checkPrefix } from './keys.js';
import { incomingName, INCOMING, sweep } from './incoming.js';
import {
  type Body,
  type ListedObject,
  type ListOptions,
  type ObjectStore,
  type PutOptions,
  type PutResult,
  StoreError,
  type StoredObject,
  type StoreOptions,
} from './port.js';

const READ_CHUNK_BYTES = 256 * 1024;

/** A put that meets this many deletes of the folder it goes into, one right after the other, gives up. */
const MAX_FOLDER_RACES = 100;

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;
const isAbsent = (error: unknown): boolean => codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';

export class FolderStore implements ObjectStore {
  private constructor(private readonly root: string) {}

  /** Creates the folder where it is missing, and sweeps what dead processes left half written. */
  static async open(root: string): Promise<FolderStore> {
    const store = new FolderStore(resolve(root));
    const incoming = join(store.root, INCOMING);
    await mkdir(incoming, { recursive: true });
    await sweep(incoming);
    return store;
  }

  async put(key: string, body: Body, options: PutOptions = {}): Promise<PutResult> {
    const target = this.pathOf(key);
    options.signal?.throwIfAborted();
    if (options.ifAbsent) {
      const present = await sizeOf(target);
      if (present !== undefined) return { written: false, size: present };
    }
    const incoming = join(this.root, INCOMING, `${incomingName()}${randomUUID()}`);
    try {
      const size = await writeSynced(incoming, body, options.signal);
      return await this.commit(key, incoming, target, size, options.ifAbsent ?? false);
    } finally {
      await rm(incoming, { force: true });
    }
  }

  async get(key: string, options: StoreOptions = {}): Promise<StoredObject | undefined> {
    const path = this.pathOf(key);
    options.signal?.throwIfAborted();
    const found = await fileAt(path);
    if (found === undefined) return undefined;
    const { signal } = options;
    return {
      key,
      ...found,
      bytes: () => readWhole(key, path, signal),
      stream: () => readChunks(key, path, signal),
    };
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncGenerator<ListedObject> {
    checkPrefix(prefix);
    yield* this.walk(prefix.slice(0, prefix.lastIndexOf('/') + 1), prefix, options);
  }

  async *folders(prefix: string, { signal, after = '' }: ListOptions = {}): AsyncGenerator<string> {
    checkFolder(prefix);
    signal?.throwIfAborted();
    const keys = await namesIn(join(this.root, prefix), prefix);
    const names = keys.filter((key) => key.endsWith('/')).map((key) => key.slice(prefix.length, -1));
    for (const name of names.sort((a, b) => (a < b ? -1 : 1))) {
      signal?.throwIfAborted();
      if (name > after && (await this.holdsAny(`${prefix}${name}/`))) yield name;
    }
  }

  async delete(key: string, options: StoreOptions = {}): Promise<void> {
    const path = this.pathOf(key);
    options.signal?.throwIfAborted();
    if ((await sizeOf(path)) === undefined) return;
    await rm(path, { force: true });
    for (let folder = dirname(path); folder !== this.root; folder = dirname(folder)) {
      try {
        await rmdir(folder);
      } catch {
        return; // Other objects stand in it, or another delete was faster.
      }
    }
  }

  private pathOf(key: string): string {
    return join(this.root, ...checkKey(key).split('/'));
  }

  /** Moves a finished file to its key; a delete that removes the folder in between only makes it try again. */
  private async commit(
    key: string,
    incoming: string,
    target: string,
    size: number,
    ifAbsent: boolean,
  ): Promise<PutResult> {
    for (let race = 0; ; race++) {
      try {
        await mkdir(dirname(target), { recursive: true });
        if (!ifAbsent) {
          await rename(incoming, target);
          return { written: true, size };
        }
        try {
          await link(incoming, target);
          return { written: true, size };
        } catch (error) {
          if (codeOf(error) !== 'EEXIST') throw error;
          const present = await sizeOf(target);
          if (present !== undefined) return { written: false, size: present };
          throw error;
        }
      } catch (error) {
        if (await this.isConflict(target)) {
          const message = 'it is a folder of another key, or another key is a folder of it';
          throw new StoreError('conflict', key, message, { cause: error });
        }
        const raced = codeOf(error) === 'ENOENT' || codeOf(error) === 'EEXIST';
        if (!raced || race === MAX_FOLDER_RACES) throw error;
      }
    }
  }

  /** Whether a folder stands where the object should, or an object where one of its folders should. */
  private async isConflict(target: string): Promise<boolean> {
    if (await isKind(target, 'folder')) return true;
    for (let folder = dirname(target); folder !== this.root; folder = dirname(folder))
      if (await isKind(folder, 'file')) return true;
    return false;
  }

  /** Objects in `folder` (ends with a slash, or is empty) and below, in the order of whole keys. */
  private async *walk(folder: string, prefix: string, options: ListOptions): AsyncGenerator<ListedObject> {
    const { signal, after = '' } = options;
    signal?.throwIfAborted();
    for (const key of await namesIn(join(this.root, folder), folder)) {
      if (key.endsWith('/')) {
        const wanted = key.startsWith(prefix) || prefix.startsWith(key);
        if (wanted && (key > after || after.startsWith(key))) yield* this.walk(key, prefix, options);
      } else if (key.startsWith(prefix) && key > after) {
        const found = await fileAt(join(this.root, key));
        if (found !== undefined) yield { key, ...found };
      }
    }
  }

  /** A folder that a put has made and not filled yet is none. */
  private async holdsAny(prefix: string): Promise<boolean> {
    for await (const _ of this.walk(prefix, prefix, {})) return true;
    return false;
  }
}

/** Keys of a folder's files, and of its folders with a slash at the end: that slash puts them in key order. */
async function namesIn(path: string, folder: string): Promise<string[]> {
  let entries: Dirent[];
  try {
    entries = await readdir(path.endsWith(sep) ? path.slice(0, -1) : path, { withFileTypes: true });
  } catch (error) {
    if (isAbsent(error)) return [];
    throw error;
  }
  return entries
    .filter((entry) => (entry.isDirectory() || entry.isFile()) && entry.name !== INCOMING)
    .map((entry) => `${folder}${entry.name}${entry.isDirectory() ? '/' : ''}`)
    .sort((a, b) => (a < b ? -1 : 1));
}

async function isKind(path: string, kind: 'file' | 'folder'): Promise<boolean> {
  try {
    const found = await stat(path);
    return kind === 'file' ? found.isFile() : found.isDirectory();
  } catch (error) {
    if (isAbsent(error)) return false;
    throw error;
  }
}

const sizeOf = async (path: string): Promise<number | undefined> => (await fileAt(path))?.size;

async function fileAt(path: string): Promise<Pick<ListedObject, 'size' | 'modified'> | undefined> {
  try {
    const found = await stat(path);
    return found.isFile() ? { size: found.size, modified: Math.floor(found.mtimeMs) } : undefined;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

async function writeSynced(path: string, body: Body, signal: AbortSignal | undefined): Promise<number> {
  const file = await open(path, 'wx');
  try {
    let size = 0;
    const write = async (chunk: Uint8Array) => {
      signal?.throwIfAborted();
      for (let at = 0; at < chunk.byteLength;) at += (await file.write(chunk, at)).bytesWritten;
      size += chunk.byteLength;
    };
    if (body instanceof Uint8Array) await write(body);
    else for await (const chunk of body) await write(chunk);
    signal?.throwIfAborted();
    await file.sync();
    return size;
  } finally {
    await file.close();
  }
}

const gone = (key: string, cause: unknown) =>
  isAbsent(cause) ? new StoreError('gone', key, 'was deleted before it was read', { cause }) : cause;

async function readWhole(key: string, path: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw gone(key, error);
  });
  try {
    const bytes = new Uint8Array((await file.stat()).size);
    for (let at = 0; at < bytes.byteLength;) {
      signal?.throwIfAborted();
      const { bytesRead } = await file.read(bytes, at);
      if (bytesRead === 0) throw new StoreError('malformed', key, 'was cut short while it was read');
      at += bytesRead;
    }
    return bytes;
  } finally {
    await file.close();
  }
}

async function* readChunks(
  key: string,
  path: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  try {
    const chunks = createReadStream(path, { highWaterMark: READ_CHUNK_BYTES, signal });
    for await (const chunk of chunks as AsyncIterable<Buffer>)
      yield new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  } catch (error) {
    signal?.throwIfAborted();
    throw gone(key, error);
  }
}
