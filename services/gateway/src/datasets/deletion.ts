/**
 * Deletes a dataset with all that derives from it: faces are biometric data, and adversarial images, reports and
 * checkpoints are made of them. The manifest goes first, so that nothing new begins. A deletion that was interrupted is
 * finished by asking again.
 */
import { findRequest, records } from '@facet/catalog';
import { api, formatRef, keys, type Ref } from '@facet/contracts';
import type { ObjectStore } from '@facet/store';
import type { Evaluations } from '../evaluations/evaluations.js';
import type { Trainings } from '../trainings.js';
import { notFound, Refusal } from '../http/problems.js';
import { refsUnder, sameRef } from '../refs.js';
import type { Datasets } from './datasets.js';

export interface DeletionDependencies {
  readonly store: ObjectStore;
  readonly datasets: Datasets;
  readonly evaluations: Evaluations;
  readonly trainings: Trainings;
}

/** Errors: Refusal where there is no such dataset, or something of it is under way. */
export async function deleteDataset(
  dependencies: DeletionDependencies,
  dataset: Ref,
): Promise<api.DatasetDeletion> {
  const { store, evaluations } = dependencies;
  await checkNothingRuns(dependencies, dataset);
  let objects = 0;
  const deleteUnder = async (prefix: string): Promise<void> => {
    for await (const { key } of store.list(prefix)) {
      await store.delete(key);
      objects++;
    }
  };
  if ((await store.get(keys.dataset.manifest(dataset))) !== undefined) {
    await store.delete(keys.dataset.manifest(dataset));
    objects++;
  }
  const gone: string[] = [];
  for await (const id of store.folders(keys.evaluation.all)) {
    const request = await findRequest(store, id);
    if (request === undefined || !sameRef(request.dataset, dataset)) continue;
    // The request last, by which an interrupted deletion finds its way back.
    for (const folder of [keys.evaluation.cells(id), keys.evaluation.folder(id)]) {
      for await (const { key } of store.list(folder)) {
        if (key === keys.evaluation.request(id)) continue;
        await store.delete(key);
        objects++;
      }
    }
    await store.delete(keys.evaluation.request(id));
    objects++;
    evaluations.forget(id);
    gone.push(id);
  }
  for await (const model of refsUnder(store, keys.features.all))
    await deleteUnder(
      `${keys.features.all}${model.name}/${model.version}/${dataset.name}/${dataset.version}/`,
    );
  const { trainings, models } = await trainedOn(store, dataset);
  for (const id of trainings) await deleteUnder(keys.training.folder(id));
  await deleteUnder(keys.dataset.folder(dataset));
  if (objects === 0) throw notFound(`dataset ${formatRef(dataset)}`);
  return { dataset, evaluations: gone, trainings, objects, modelsTrainedOnIt: models };
}

/** What is under way would be written after everything was deleted. */
async function checkNothingRuns(
  { datasets, evaluations, trainings }: DeletionDependencies,
  dataset: Ref,
): Promise<void> {
  if ((await datasets.find(dataset))?.state === 'ingesting')
    throw new Refusal('conflict', `dataset ${formatRef(dataset)} is being made; wait for its end`);
  for await (const { id, state, dataset: used } of trainings.list(undefined))
    if (sameRef(used, dataset) && (state === 'requested' || state === 'running'))
      throw new Refusal('conflict', `training ${id} on this dataset is ${state}; wait for its end`);
  for await (const { id, state } of evaluations.list(undefined, { dataset }))
    if (!api.ENDED.includes(state))
      throw new Refusal('conflict', `evaluation ${id} of this dataset is ${state}; cancel it first`);
}

async function trainedOn(store: ObjectStore, dataset: Ref) {
  const trainings: string[] = [];
  for await (const id of store.folders(keys.training.all)) {
    const request = await records.trainingRequest.find(store, id);
    if (request !== undefined && sameRef(request.dataset, dataset)) trainings.push(id);
  }
  const models: Ref[] = [];
  for await (const ref of refsUnder(store, keys.model.root)) {
    const lineage = await records.lineage.find(store, ref);
    if (lineage?.kind === 'training' && sameRef(lineage.dataset, dataset)) models.push(ref);
  }
  return { trainings, models };
}
