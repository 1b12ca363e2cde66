/**
 * Which shards of an evaluation are queued when. Its shards stand in so many lanes, one behind the other; only the first
 * of each lane is queued, and the end of one queues the next. So a queue holds few jobs of an evaluation however large it
 * is: a small one that comes later waits for those and not for all, and nobody ever holds a list of all jobs.
 *
 * A lane goes on by an event, which may come again, also to another process. What one event has queued is queued again by
 * the same event only (its publishing may have failed); other events leave it alone, else doubles would breed doubles.
 */
export const LANES = 128;

export class Lanes {
  /** Which event queued a shard that has not ended; at most as many as there are lanes, and a few. */
  private readonly queuedBy = new Map<number, string>();

  /** @param ended whether a shard needs no job any more */
  constructor(
    private readonly total: number,
    private readonly ended: (index: number) => boolean,
  ) {}

  /** The first open shard of each lane. */
  begin(event: string): number[] {
    const heads: number[] = [];
    for (let lane = 0; lane < Math.min(LANES, this.total); lane++) heads.push(...this.from(lane, event));
    return heads;
  }

  /** The next open shard of the lane in which one has ended, if there is one to queue. */
  next(index: number, event: string): number[] {
    this.queuedBy.delete(index);
    return this.from(index + LANES, event);
  }

  private from(start: number, event: string): number[] {
    for (let index = start; index < this.total; index += LANES) {
      if (this.ended(index)) continue;
      const by = this.queuedBy.get(index);
      if (by !== undefined && by !== event) return [];
      this.queuedBy.set(index, event);
      return [index];
    }
    return [];
  }
}
