/** Evaluations in the store: what was asked, what is planned, which shards there are. */
import {
  type Baseline,
  Cell,
  type DatasetManifest,
  EvaluationPlan,
  formatRef,
  formatSearch,
  keys,
  Policy,
  Ref,
  type ThreatModel,
} from '@facet/contracts';
import { InputError } from '@facet/runtime';
import { type ObjectStore, readJson, writeJson } from '@facet/store';
import { z } from 'zod';
import { spread } from './datasets.js';
import { digestOf } from './digest.js';

/** `evaluations/<id>/request.json`. */
export const EvaluationRequest = z.strictObject({
  schema: z.literal('facet.request/v1'),
  evaluation: z.string(),
  model: Ref,
  dataset: Ref,
  plan: EvaluationPlan,
  policy: Policy.optional(),
  /** The model that it is compared with, and the evaluation that attacked it by the same plan. */
  baseline: z.strictObject({ model: Ref, evaluation: z.string() }).optional(),
});
export type EvaluationRequest = z.infer<typeof EvaluationRequest>;

/** `evaluations/<id>/plan.json`: every cell and how many shards each has. */
export const PlannedEvaluation = z.strictObject({
  schema: z.literal('facet.planned/v1'),
  evaluation: z.string(),
  model: Ref,
  dataset: Ref,
  plan: EvaluationPlan,
  features: z.string(),
  cells: z.array(Cell),
  /** Of each cell. */
  shards: z.int(),
});
export type PlannedEvaluation = z.infer<typeof PlannedEvaluation>;

/** The same model, data, plan, policy and baseline make the same evaluation. */
export function evaluationId(
  model: { readonly ref: Ref; readonly digest: string },
  dataset: DatasetManifest,
  plan: EvaluationPlan,
  policy: Policy | undefined,
  baseline?: Baseline,
): string {
  const asked = { plan, policy, baseline };
  const digest = digestOf({ model: model.digest, ref: model.ref, dataset: dataset.digest, ...asked });
  return `${model.ref.name.slice(0, 40)}-${digest.slice(0, 16)}`;
}

/** Whole levels as people write them; anything else exactly, so that no two budgets share a name. */
const epsilonText = ({ epsilon }: ThreatModel): string => {
  const levels = Math.round(epsilon * 255);
  return levels / 255 === epsilon ? `${levels}_255` : String(epsilon);
};

/** A cell with the id that says what it is. */
export function makeCell({ facet, objective, search, threat }: Omit<Cell, 'id'>): Cell {
  return {
    id: `${facet}.${objective}.${formatSearch(search)}.${threat.norm}-${epsilonText(threat)}`,
    facet,
    objective,
    search,
    threat,
  };
}

export const saveRequest = async (store: ObjectStore, request: EvaluationRequest): Promise<void> => {
  await writeJson(store, keys.evaluation.request(request.evaluation), request);
};

export const findRequest = (store: ObjectStore, evaluation: string): Promise<EvaluationRequest | undefined> =>
  readJson(store, keys.evaluation.request(evaluation), (v) => EvaluationRequest.parse(v));

export async function loadRequest(store: ObjectStore, evaluation: string): Promise<EvaluationRequest> {
  const found = await findRequest(store, evaluation);
  if (found === undefined)
    throw new InputError(`there is no evaluation ${evaluation}`, { field: 'evaluation' });
  return found;
}

export const savePlan = async (store: ObjectStore, plan: PlannedEvaluation): Promise<void> => {
  await writeJson(store, keys.evaluation.plan(plan.evaluation), plan);
};

export async function loadPlan(store: ObjectStore, evaluation: string): Promise<PlannedEvaluation> {
  const found = await readJson(store, keys.evaluation.plan(evaluation), (v) => PlannedEvaluation.parse(v));
  if (found === undefined)
    throw new InputError(`evaluation ${evaluation} has no plan`, { field: 'evaluation' });
  return found;
}

/** Shards of each cell. Errors: InputError where the test split is empty. */
export function shardsPerCell(plan: EvaluationPlan, dataset: DatasetManifest): number {
  const testSamples = dataset.splits.test.reduce((sum, shard) => sum + shard.samples, 0);
  if (testSamples === 0)
    throw new InputError(`dataset ${formatRef(dataset)} has no test samples to attack`, { field: 'dataset' });
  return Math.ceil(Math.min(plan.samples, testSamples) / plan.shard);
}

/** Which samples of the test split a shard holds, ascending. */
export const shardIndices = (plan: EvaluationPlan, testSamples: number, shard: number): number[] =>
  spread(testSamples, plan.samples).slice(shard * plan.shard, (shard + 1) * plan.shard);
