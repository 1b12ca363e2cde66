/** Evaluations in the store: what was asked, what is planned, which shards there are. */
import {
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

/** The same model, data, plan and policy make the same evaluation. */
export function evaluationId(
  model: { readonly ref: Ref; readonly digest: string },
  dataset: DatasetManifest,
  plan: EvaluationPlan,
  policy: Policy | undefined,
): string {
  const digest = digestOf({ model: model.digest, ref: model.ref, dataset: dataset.digest, plan, policy });
  return `${model.ref.name.slice(0, 40)}-${digest.slice(0, 16)}`;
}

const epsilonText = (threat: ThreatModel): string => {
  const levels = threat.epsilon * 255;
  const whole = Math.abs(levels - Math.round(levels)) < 1e-6;
  return whole ? `${Math.round(levels)}_255` : String(threat.epsilon);
};

/** A cell with the id that says what it is. */
export function makeCell(cell: Omit<Cell, 'id'>): Cell {
  const { facet, objective, search, threat } = cell;
  return {
    id: `${facet}.${objective}.${formatSearch(search)}.${threat.norm}-${epsilonText(threat)}`,
    ...cell,
  };
}

export const saveRequest = async (store: ObjectStore, request: EvaluationRequest): Promise<void> => {
  await writeJson(store, keys.evaluation.request(request.evaluation), request);
};

export async function loadRequest(store: ObjectStore, evaluation: string): Promise<EvaluationRequest> {
  const found = await readJson(store, keys.evaluation.request(evaluation), (v) => EvaluationRequest.parse(v));
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
