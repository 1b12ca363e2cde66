/** Opens evaluations: for each model that is published, those that stand for it; and those that are asked for. */
import {
  Dataset,
  evaluationId,
  type EvaluationRequest,
  loadFeatures,
  loadModel,
  loadRequest,
  type PlannedEvaluation,
  saveRequest,
  savePlan,
  shardsPerCell,
} from '@facet/catalog';
import type { Fact } from '@facet/contracts';
import type { ObjectStore } from '@facet/store';
import { cellsOf } from './cells.js';
import { forgetFailures } from './join.js';

/** Stores what was asked, under an id that the same question has again. */
export async function openEvaluation(
  store: ObjectStore,
  asked: Fact<'evaluation.requested'>,
): Promise<EvaluationRequest> {
  const model = await loadModel(store, asked.model);
  const dataset = await Dataset.open(store, asked.dataset);
  const evaluation = evaluationId(model, dataset.manifest, asked.plan, asked.policy);
  const request: EvaluationRequest = { schema: 'facet.request/v1', evaluation, ...asked };
  await saveRequest(store, request);
  return request;
}

/** Writes the plan of an evaluation whose features lie in `features`; shards that an earlier run gave up are open again. */
export async function planEvaluation(
  store: ObjectStore,
  evaluation: string,
  features: string,
): Promise<PlannedEvaluation> {
  const { model, dataset, plan } = await loadRequest(store, evaluation);
  const { manifest } = await Dataset.open(store, dataset);
  const cells = cellsOf(plan, await loadFeatures(store, features));
  const shards = shardsPerCell(plan, manifest);
  const planned: PlannedEvaluation = {
    schema: 'facet.planned/v1',
    evaluation,
    model,
    dataset,
    plan,
    features,
    cells,
    shards,
  };
  await forgetFailures(store, evaluation);
  await savePlan(store, planned);
  return planned;
}
