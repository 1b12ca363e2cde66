/**
 * Cells of which a shard was given up, where the plan has them marked: the report names them, and they take no part in any
 * figure. Which they are stands in the store alone, so that every process says the same.
 */
import type { PlannedEvaluation } from '@facet/catalog';
import { type Cell, type FailedCell, formatSearch, keys } from '@facet/contracts';
import { type ObjectStore, readJson } from '@facet/store';
import { z } from 'zod';

/** `evaluations/<id>/cells/<cell>/<shard>.failure.json`. */
export const ShardFailure = z.strictObject({ cell: z.string(), shard: z.int(), reason: z.string() });
export type ShardFailure = z.infer<typeof ShardFailure>;

/** Where its reason is gone: somebody has cleared the store since. */
const UNKNOWN_REASON = 'its reason is not stored any more';

export async function shardFailure(
  store: ObjectStore,
  evaluation: string,
  cell: string,
  shard: number,
): Promise<ShardFailure> {
  const key = keys.evaluation.failure(evaluation, cell, shard);
  const found = await readJson(store, key, (value) => ShardFailure.parse(value));
  return found ?? { cell, shard, reason: UNKNOWN_REASON };
}

/** What `keys.evaluation` makes of a shard's outcomes and of its failure, below the folder of cells. */
const SHARD_KEY = /^([^/]+)\/(\d+)\.(parquet|failure\.json)$/;

/** The shards that have ended, as their objects say; one that failed for a worker may have been finished by another. */
export async function* endedShards(
  store: ObjectStore,
  evaluation: string,
): AsyncGenerator<{ cell: string; shard: number; finished: boolean }> {
  const folder = keys.evaluation.cells(evaluation);
  for await (const { key } of store.list(folder)) {
    const [, cell, shard, kind] = SHARD_KEY.exec(key.slice(folder.length)) ?? [];
    if (cell !== undefined) yield { cell, shard: Number(shard), finished: kind === 'parquet' };
  }
}

export interface Attacked {
  /** With the cells alone that all have outcomes. */
  readonly attacked: PlannedEvaluation;
  /** In the plan's order. */
  readonly failed: readonly FailedCell[];
}

/** Parts the cells of an evaluation whose shards have all ended. */
export async function withoutFailed(store: ObjectStore, planned: PlannedEvaluation): Promise<Attacked> {
  if (planned.plan.failedCells !== 'mark') return { attacked: planned, failed: [] };
  const { evaluation } = planned;
  const finished = new Set<string>();
  const failures = new Map<string, number[]>();
  for await (const { cell, shard, finished: done } of endedShards(store, evaluation)) {
    if (done) finished.add(`${cell}/${shard}`);
    else failures.set(cell, [...(failures.get(cell) ?? []), shard]);
  }
  const failed: FailedCell[] = [];
  for (const cell of planned.cells) {
    const shards = (failures.get(cell.id) ?? []).filter((shard) => !finished.has(`${cell.id}/${shard}`));
    if (shards.length === 0) continue;
    const { reason } = await shardFailure(store, evaluation, cell.id, Math.min(...shards));
    failed.push({ ...described(cell), shards: shards.length, reason });
  }
  const without = new Set(failed.map(({ id }) => id));
  const cells = planned.cells.filter(({ id }) => !without.has(id));
  return { attacked: { ...planned, cells }, failed };
}

const described = ({ id, facet, objective, search, threat: { norm, epsilon } }: Cell) => ({
  id,
  facet,
  objective,
  search: formatSearch(search),
  norm,
  epsilon,
});

export const failureNote = ({ id, shards, reason }: FailedCell): string =>
  `${id} could not be attacked and is in no figure, nor its facet in the ranking: ${
    shards === 1 ? 'a shard was' : `${shards} shards were`
  } given up, ${reason}`;
