/** Writing what never changes again: of several writers of a key exactly one writes, and all learn whose bytes stand. */
import { createHash } from 'node:crypto';
import type { Body, ObjectStore } from '@facet/store';
import { sha256 } from './digest.js';

/** Bytes, or a source of them that can be read anew, with their digest. */
export interface Source {
  readonly sha256: string;
  open(): Body;
}

export const sourceOf = (bytes: Uint8Array): Source => ({ sha256: sha256(bytes), open: () => bytes });

/** SHA-256 of what a stream gives, a chunk in memory at a time. */
export async function sha256Of(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of chunks) hash.update(chunk);
  return hash.digest('hex');
}

/** Whether `source` is what stands under the key now; false where others stood there, which are left as they are. */
export async function putOnce(
  store: ObjectStore,
  key: string,
  source: Source,
  signal?: AbortSignal,
): Promise<boolean> {
  const options = { ifAbsent: true, ...(signal && { signal }) };
  for (;;) {
    if ((await store.put(key, source.open(), options)).written) return true;
    const standing = await store.get(key, options);
    // Where it was deleted in between, the next put finds the place free.
    if (standing !== undefined) return (await sha256Of(standing.stream())) === source.sha256;
  }
}
