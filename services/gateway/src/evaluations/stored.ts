/** What the store alone says of an evaluation: it outlives every process, so it is what a restart begins with. */
import { findRequest, loadPlan, records } from '@facet/catalog';
import { type api, keys } from '@facet/contracts';
import type { ObjectStore } from '@facet/store';
import type { StoredProgress } from './live.js';
import { summaryOf } from './summary.js';

interface Ending {
  readonly state: api.EvaluationState;
  readonly ended: number;
  readonly summary: api.EvaluationSummary | null;
  readonly reasons: readonly string[];
}

/** How it ended; undefined where it has not. A report stands above everything else. */
export async function endingOf(store: ObjectStore, id: string): Promise<Ending | undefined> {
  const modified = async (key: string) => (await store.get(key))?.modified;
  const reported = await modified(keys.evaluation.report(id, 'json'));
  if (reported !== undefined) {
    const summary = (await summaryOf(store, id)) ?? null;
    return { state: 'completed', ended: reported, summary, reasons: [] };
  }
  const cancelled = await modified(keys.evaluation.cancelled(id));
  if (cancelled !== undefined) return { state: 'cancelled', ended: cancelled, summary: null, reasons: [] };
  const failure = await records.evaluationFailure.find(store, id);
  if (failure === undefined) return undefined;
  const ended = (await modified(keys.evaluation.failed(id))) ?? 0;
  return { state: 'failed', ended, summary: null, reasons: failure.reasons };
}

const SHARD = /\/cells\/([^/]+)\/(\d+)\.(parquet|failure\.json)$/;

/** Undefined where nobody asked for such an evaluation. Walks its shards, so ask once. */
export async function storedProgress(store: ObjectStore, id: string): Promise<StoredProgress | undefined> {
  if ((await findRequest(store, id)) === undefined) return undefined;
  const ending = await endingOf(store, id);
  const finished: { cell: string; shard: number }[] = [];
  const failed: { cell: string; shard: number }[] = [];
  for await (const { key } of store.list(keys.evaluation.cells(id))) {
    const [, cell, shard, kind] = SHARD.exec(key) ?? [];
    if (cell !== undefined) (kind === 'parquet' ? finished : failed).push({ cell, shard: Number(shard) });
  }
  const planned = (await store.get(keys.evaluation.plan(id))) !== undefined;
  const plan = planned ? await loadPlan(store, id) : undefined;
  return {
    state: ending?.state ?? (planned ? 'running' : 'requested'),
    total: plan === undefined ? 0 : plan.cells.length * plan.shards,
    finished,
    failed,
    passed: ending?.summary?.verdict.passed ?? null,
    reasons: ending?.reasons ?? [],
  };
}
