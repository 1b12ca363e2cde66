/**
 * Joins the shards of an evaluation: an event is one step, and the last one closes it. What has been finished is read
 * from the store once per evaluation, so a restarted service goes on where the last one stopped.
 */
import { loadPlan, type PlannedEvaluation } from '@facet/catalog';
import { keys } from '@facet/contracts';
import type { ObjectStore } from '@facet/store';

interface Open {
  readonly planned: PlannedEvaluation;
  /** Shards with stored outcomes, by their keys. */
  readonly finished: Set<string>;
  /** Shards that were given up, with the reason. */
  readonly failed: Map<string, string>;
}

export type Joined =
  | { readonly state: 'open'; readonly done: number; readonly total: number }
  | { readonly state: 'complete'; readonly total: number; readonly planned: PlannedEvaluation }
  | { readonly state: 'failed'; readonly total: number; readonly reasons: readonly string[] };

/** Reasons that are named one by one; of more, their number is. */
const NAMED_REASONS = 20;

export class Joiner {
  readonly #open = new Map<string, Promise<Open>>();

  constructor(private readonly store: ObjectStore) {}

  /** A shard's outcomes are stored; `reason` says why where they never will be. */
  async take(evaluation: string, cell: string, shard: number, reason?: string): Promise<Joined> {
    const open = await this.#get(evaluation);
    const key = keys.evaluation.outcomes(evaluation, cell, shard);
    if (reason === undefined) {
      open.finished.add(key);
      open.failed.delete(key);
    } else if (!open.finished.has(key)) {
      open.failed.set(key, `${cell}, shard ${shard}: ${reason}`);
    }
    return this.#state(evaluation, open);
  }

  #state(evaluation: string, { planned, finished, failed }: Open): Joined {
    const total = planned.cells.length * planned.shards;
    const done = finished.size + failed.size;
    if (done < total) return { state: 'open', done, total };
    this.#open.delete(evaluation);
    if (failed.size === 0) return { state: 'complete', total, planned };
    const reasons = [...failed.values()].sort();
    const more = reasons.length - NAMED_REASONS;
    const rest = more > 0 ? [`and ${more} more shards`] : [];
    return { state: 'failed', total, reasons: [...reasons.slice(0, NAMED_REASONS), ...rest] };
  }

  #get(evaluation: string): Promise<Open> {
    const known = this.#open.get(evaluation) ?? this.#load(evaluation);
    this.#open.set(evaluation, known);
    known.catch(() => this.#open.delete(evaluation));
    return known;
  }

  async #load(evaluation: string): Promise<Open> {
    const planned = await loadPlan(this.store, evaluation);
    const finished = new Set<string>();
    for await (const { key } of this.store.list(keys.evaluation.cells(evaluation))) {
      if (key.endsWith('.parquet')) finished.add(key);
    }
    return { planned, finished, failed: new Map() };
  }
}
