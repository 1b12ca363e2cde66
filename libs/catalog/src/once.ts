/** Writing what never changes again: of several writers of a key exactly one writes, and all learn whose bytes stand. */
import type { ObjectStore } from '@facet/store';
import { sha256 } from './digest.js';

/** Whether `bytes` are what stands under the key now; false where others stood there, which are left as they are. */
export async function putOnce(
  store: ObjectStore,
  key: string,
  bytes: Uint8Array,
  signal?: AbortSignal,
): Promise<boolean> {
  const options = { ifAbsent: true, ...(signal && { signal }) };
  for (;;) {
    if ((await store.put(key, bytes, options)).written) return true;
    const standing = await store.get(key, options);
    // Where it was deleted in between, the next put finds the place free.
    if (standing !== undefined) return sha256(await standing.bytes()) === sha256(bytes);
  }
}
