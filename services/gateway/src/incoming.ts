/** Uploads on their way in: under a key of their own until they are accepted, with their digest, never in memory. */
import { createHash, randomUUID } from 'node:crypto';
import { keys } from '@facet/contracts';
import type { ObjectStore } from '@facet/store';

/** Older than any upload and any ingestion: its process has died. */
const ABANDONED_MS = 48 * 3_600_000;

export interface Incoming {
  readonly key: string;
  readonly sha256: string;
  readonly bytes: number;
}

export async function receive(
  store: ObjectStore,
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<Incoming> {
  const key = keys.incoming.one(randomUUID());
  const hash = createHash('sha256');
  const hashed = async function* () {
    for await (const chunk of chunks) {
      hash.update(chunk);
      yield chunk;
    }
  };
  const { size } = await store.put(key, hashed(), { signal });
  return { key, sha256: hash.digest('hex'), bytes: size };
}

/** Deletes what processes that died left behind. */
export async function sweepIncoming(store: ObjectStore, now: number): Promise<void> {
  for await (const { key, modified } of store.list(keys.incoming.all))
    if (now - modified > ABANDONED_MS) await store.delete(key);
}
