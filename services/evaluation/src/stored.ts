/** Reads what an evaluation left in the store: bytes only, for the worker that parses and judges them. */
import {
  type EvaluationRequest,
  loadFeatures,
  loadModel,
  loadPlan,
  type PlannedEvaluation,
  scoresKey,
} from '@facet/catalog';
import { type Cell, keys } from '@facet/contracts';
import { InputError } from '@facet/runtime';
import type { ObjectStore } from '@facet/store';
import { withoutFailed } from './failed.js';
import type { StoredEvaluation, StoredRows } from './figures.js';

/** Reads that are under way at a time: enough for a store with latency, few enough for its limits. */
const READS = 16;

async function read(store: ObjectStore, key: string): Promise<StoredRows> {
  const object = await store.get(key);
  if (object === undefined) throw new InputError('is missing from the store', { file: key });
  return { key, bytes: await object.bytes() };
}

async function shardsOf(
  store: ObjectStore,
  { evaluation, shards }: PlannedEvaluation,
  cell: Cell,
): Promise<StoredRows[]> {
  const found: StoredRows[] = [];
  for (let from = 0; from < shards; from += READS) {
    const part = Array.from({ length: Math.min(READS, shards - from) }, (_, i) =>
      read(store, keys.evaluation.outcomes(evaluation, cell.id, from + i)),
    );
    found.push(...(await Promise.all(part)));
  }
  return found;
}

/** Errors: InputError naming what is missing. */
export async function storedEvaluation(
  store: ObjectStore,
  planned: PlannedEvaluation,
): Promise<StoredEvaluation> {
  const [{ ref, digest }, { summary }, scores] = await Promise.all([
    loadModel(store, planned.model),
    loadFeatures(store, planned.features),
    read(store, scoresKey(planned.features)),
  ]);
  const outcomes: StoredRows[][] = [];
  for (const cell of planned.cells) outcomes.push(await shardsOf(store, planned, cell));
  return {
    evaluation: planned.evaluation,
    model: { ...ref, sha256: digest },
    cells: planned.cells,
    outcomes,
    features: summary,
    scores,
  };
}

/** What the baseline of an evaluation left; null where it has none. */
export async function storedBaseline(
  store: ObjectStore,
  { baseline }: EvaluationRequest,
): Promise<StoredEvaluation | null> {
  if (baseline === undefined) return null;
  const { attacked } = await withoutFailed(store, await loadPlan(store, baseline.evaluation));
  return storedEvaluation(store, attacked);
}
