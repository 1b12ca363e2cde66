/**
 * Samples of shards that were read last, as far as the shards' bytes fit into a limit: jobs take parts of the same shard
 * one after the other, and reading one is most of what they do beside their computation.
 */
import type { StoredSample } from '@facet/datasets';

interface Kept {
  readonly bytes: number;
  readonly samples: Promise<StoredSample[]>;
}

export class KeptShards {
  readonly #kept = new Map<string, Kept>();

  /** @param limit in bytes; a shard that is larger is not kept */
  constructor(private readonly limit: number) {}

  /** Those who ask for one at the same time share one reading; one that failed is read anew. */
  get(key: string, bytes: number, read: () => Promise<StoredSample[]>): Promise<StoredSample[]> {
    const entry = this.#kept.get(key) ?? { bytes, samples: read() };
    this.#kept.delete(key);
    this.#kept.set(key, entry);
    entry.samples.catch(() => {
      if (this.#kept.get(key) === entry) this.#kept.delete(key);
    });
    let held = [...this.#kept.values()].reduce((sum, one) => sum + one.bytes, 0);
    for (const [oldest, one] of this.#kept) {
      if (held <= this.limit) break;
      held -= one.bytes;
      this.#kept.delete(oldest);
    }
    return entry.samples;
  }
}
