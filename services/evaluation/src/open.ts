/** Opens evaluations: for each model that is published, those that stand for it; and those that are asked for. */
import {
  Dataset,
  evaluationId,
  type EvaluationRequest,
  findRequest,
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
import { baselineModel, finishedEvaluation, waitFor } from './baseline.js';
import { cellsOf } from './cells.js';
import { forgetFailures } from './join.js';

export type Opened =
  | { readonly state: 'open'; readonly request: EvaluationRequest }
  /** It will be asked for again when the evaluation of its baseline, which `first` asks for, has ended. */
  | { readonly state: 'waiting'; readonly first: Fact<'evaluation.requested'> };

/** Stores what was asked, under an id that the same question has again. */
export async function openEvaluation(
  store: ObjectStore,
  asked: Fact<'evaluation.requested'>,
): Promise<Opened> {
  const { baseline: wanted, ...question } = asked;
  const model = await loadModel(store, asked.model);
  const { manifest } = await Dataset.open(store, asked.dataset);
  const evaluation = evaluationId(model, manifest, asked.plan, asked.policy, wanted);
  const request: EvaluationRequest = { schema: 'facet.request/v1', evaluation, ...question };
  const known = await findRequest(store, evaluation);
  if (known !== undefined) return { state: 'open', request: known };
  const earlier = wanted && (await baselineModel(store, asked.model, wanted));
  if (earlier === undefined) {
    await saveRequest(store, request);
    return { state: 'open', request };
  }
  const first = { model: earlier, dataset: asked.dataset, plan: asked.plan };
  const before = evaluationId(await loadModel(store, earlier), manifest, asked.plan, undefined);
  // Before looking, so that its end is missed in no case.
  await waitFor(store, before, evaluation, { type: 'evaluation.requested', data: asked });
  const finished = await finishedEvaluation(store, first);
  if (finished === undefined) return { state: 'waiting', first };
  const compared = { ...request, baseline: { model: earlier, evaluation: finished } };
  await saveRequest(store, compared);
  return { state: 'open', request: compared };
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
