/**
 * Joins the shards of an evaluation: an event is one step, and the last one closes it. What has ended, well or not, is
 * read from the store once per evaluation, so a restarted service goes on where the last one stopped.
 */
import { loadPlan, type PlannedEvaluation } from '@facet/catalog';
import { keys } from '@facet/contracts';
import { type ObjectStore, readJson, writeJson } from '@facet/store';
import { z } from 'zod';

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

const Failure = z.strictObject({ cell: z.string(), shard: z.int(), reason: z.string() });
type Failure = z.infer<typeof Failure>;

const sentence = ({ cell, shard, reason }: Failure): string => `${cell}, shard ${shard}: ${reason}`;

/** Reasons that are named one by one; of more, their number is. */
const NAMED_REASONS = 20;

/** Lets an evaluation be tried again: what was given up may be finished this time. */
export async function forgetFailures(store: ObjectStore, evaluation: string): Promise<void> {
  const found: string[] = [];
  for await (const { key } of store.list(keys.evaluation.cells(evaluation)))
    if (key.endsWith('.failure.json')) found.push(key);
  for (const key of found) await store.delete(key);
}

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
      const failure = { cell, shard, reason };
      await writeJson(this.store, keys.evaluation.failure(evaluation, cell, shard), failure);
      open.failed.set(key, sentence(failure));
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
    const stored = new Set<string>();
    for await (const { key } of this.store.list(keys.evaluation.cells(evaluation))) stored.add(key);
    const finished = new Set<string>();
    const failed = new Map<string, string>();
    for (const { id } of planned.cells) {
      for (let shard = 0; shard < planned.shards; shard++) {
        const key = keys.evaluation.outcomes(evaluation, id, shard);
        const failureKey = keys.evaluation.failure(evaluation, id, shard);
        if (stored.has(key)) finished.add(key);
        else if (stored.has(failureKey)) {
          const failure = await readJson(this.store, failureKey, (value) => Failure.parse(value));
          if (failure !== undefined) failed.set(key, sentence(failure));
        }
      }
    }
    return { planned, finished, failed };
  }
}
