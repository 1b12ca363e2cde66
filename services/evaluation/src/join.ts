/**
 * Joins the shards of an evaluation: an event is one step, and the last one closes it. Each step costs the same however
 * many shards there are, and a shard costs a bit of memory. What has ended, well or not, is read from the store once per
 * evaluation, so a restarted service goes on where the last one stopped. One process joins at a time; see the service.
 */
import { loadPlan, type PlannedEvaluation } from '@facet/catalog';
import { keys } from '@facet/contracts';
import { type ObjectStore, writeJson } from '@facet/store';
import { endedShards, shardFailure, type ShardFailure } from './failed.js';
import { Lanes } from './lanes.js';
import { ShardSet } from './shard-set.js';

interface Open {
  readonly planned: PlannedEvaluation;
  /** Places of the cells in the plan, by their ids. */
  readonly cells: ReadonlyMap<string, number>;
  /** Shards with stored outcomes. */
  readonly finished: ShardSet;
  /** Shards that were given up; the reasons lie in the store. */
  readonly failed: ShardSet;
  readonly lanes: Lanes;
}

/** A shard's end, as an event tells it. */
export interface Ended {
  readonly evaluation: string;
  readonly cell: string;
  readonly shard: number;
  /** Why it never will have outcomes. */
  readonly reason?: string | undefined;
  /** Id of the event. */
  readonly event: string;
}

/** A shard of a cell of the plan, by their places. */
export interface Place {
  readonly cell: number;
  readonly shard: number;
}

export type Joined =
  | {
      readonly state: 'open';
      readonly done: number;
      readonly total: number;
      readonly planned: PlannedEvaluation;
      /** What is to be attacked next. */
      readonly next: readonly Place[];
    }
  | { readonly state: 'complete'; readonly total: number; readonly planned: PlannedEvaluation }
  | { readonly state: 'failed'; readonly total: number; readonly reasons: readonly string[] };

const sentence = ({ cell, shard, reason }: ShardFailure): string => `${cell}, shard ${shard}: ${reason}`;

/** Reasons that are named one by one; of more, their number is. */
const NAMED_REASONS = 20;

/** Lets an evaluation be tried again: what was given up may be finished this time. */
export async function forgetFailures(store: ObjectStore, evaluation: string): Promise<void> {
  for await (const { key } of store.list(keys.evaluation.cells(evaluation)))
    if (key.endsWith('.failure.json')) await store.delete(key);
}

export class Joiner {
  readonly #open = new Map<string, Promise<Open>>();

  constructor(private readonly store: ObjectStore) {}

  /** Begins an evaluation whose plan has just been written, whatever was known of it. */
  async begin(evaluation: string, event: string): Promise<Joined> {
    this.#open.delete(evaluation);
    const open = await this.#get(evaluation);
    return this.#state(evaluation, open, () => open.lanes.begin(event));
  }

  /** A shard's outcomes are stored, or will never be. */
  async take({ evaluation, cell, shard, reason, event }: Ended): Promise<Joined> {
    const open = await this.#get(evaluation);
    const { planned, cells, finished, failed, lanes } = open;
    const place = cells.get(cell);
    // Of another plan: an evaluation of that name was planned anew meanwhile.
    if (place === undefined || shard >= planned.shards) return this.#state(evaluation, open, () => []);
    const index = place * planned.shards + shard;
    if (reason === undefined) {
      finished.add(index);
      failed.delete(index);
    } else if (!finished.has(index)) {
      await writeJson(this.store, keys.evaluation.failure(evaluation, cell, shard), { cell, shard, reason });
      if (!finished.has(index)) failed.add(index);
    }
    return this.#state(evaluation, open, () => lanes.next(index, event));
  }

  async #state(evaluation: string, open: Open, queue: () => readonly number[]): Promise<Joined> {
    const { planned, finished, failed } = open;
    const total = finished.total;
    const done = finished.size + failed.size;
    if (done < total) {
      const { shards } = planned;
      const next = queue().map((index) => ({ cell: Math.floor(index / shards), shard: index % shards }));
      return { state: 'open', done, total, planned, next };
    }
    this.#open.delete(evaluation);
    if (failed.size === 0 || (planned.plan.failedCells === 'mark' && someCellIsWhole(planned, failed)))
      return { state: 'complete', total, planned };
    const reasons = await this.#reasons(planned, failed);
    const more = failed.size - reasons.length;
    return {
      state: 'failed',
      total,
      reasons: [...reasons, ...(more > 0 ? [`and ${more} more shards`] : [])],
    };
  }

  /** The first few, in the plan's order. */
  async #reasons({ evaluation, cells, shards }: PlannedEvaluation, failed: ShardSet): Promise<string[]> {
    const reasons: string[] = [];
    for (const index of failed) {
      if (reasons.length === NAMED_REASONS) break;
      const [cell, shard] = [cells[Math.floor(index / shards)].id, index % shards];
      reasons.push(sentence(await shardFailure(this.store, evaluation, cell, shard)));
    }
    return reasons;
  }

  #get(evaluation: string): Promise<Open> {
    const known = this.#open.get(evaluation) ?? this.#load(evaluation);
    this.#open.set(evaluation, known);
    known.catch(() => this.#open.delete(evaluation));
    return known;
  }

  async #load(evaluation: string): Promise<Open> {
    const planned = await loadPlan(this.store, evaluation);
    const { shards } = planned;
    const total = planned.cells.length * shards;
    const cells = new Map(planned.cells.map(({ id }, place) => [id, place]));
    const [finished, failed] = [new ShardSet(total), new ShardSet(total)];
    for await (const { cell, shard, finished: done } of endedShards(this.store, evaluation)) {
      const place = cells.get(cell);
      if (place === undefined || shard >= shards) continue;
      (done ? finished : failed).add(place * shards + shard);
    }
    for (const index of failed) if (finished.has(index)) failed.delete(index);
    const lanes = new Lanes(total, (index) => finished.has(index) || failed.has(index));
    return { planned, cells, finished, failed, lanes };
  }
}

function someCellIsWhole({ cells, shards }: PlannedEvaluation, failed: ShardSet): boolean {
  const without = new Set<number>();
  for (const index of failed) without.add(Math.floor(index / shards));
  return without.size < cells.length;
}
