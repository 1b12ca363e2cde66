/**
 * Moments of a stream of chunks: each is merged into the whole as it comes, in the order of the stream whatever order
 * they are finished in, so memory holds one set of moments however many images there are, and the last bits never change.
 */
import { setImmediate } from 'node:timers/promises';
import { Moments, type MomentsData } from '@facet/adversary';
import type { MomentsResult } from '@facet/engine';

export class GatheredMoments {
  readonly #groups = new Map<string, Moments[]>();

  async add(chunk: MomentsResult): Promise<void> {
    for (const [id, groups] of Object.entries(chunk)) {
      const known = this.#groups.get(id) ?? groups.map(({ mean }) => new Moments(mean.length));
      this.#groups.set(id, known);
      groups.forEach((group, i) => {
        known[i].merge(Moments.of(group));
      });
      // A wide feature takes a moment to merge; the event loop breathes between them.
      await setImmediate();
    }
  }

  /** By group; empty where no sample ever had one. */
  of(id: string): readonly MomentsData[] {
    return this.#groups.get(id)?.map((group) => group.data) ?? [];
  }

  count(id: string, group: number): number {
    return this.#groups.get(id)?.[group].count ?? 0;
  }
}
