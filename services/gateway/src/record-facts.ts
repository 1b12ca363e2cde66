/**
 * Keeps what only a fact says: why something failed, and which training a model comes from. Streams forget, and on a
 * laptop they end with the process; the store does not. Several gateways share the work.
 */
import { findDataset, findRequest, records, trainingId } from '@facet/catalog';
import type { TrainingRequest } from '@facet/contracts';
import { defineHandler, VOCABULARY } from '@facet/runtime';
import type { ObjectStore } from '@facet/store';
import { RECORDS } from './declaration.js';

export const recordFactsHandler = (store: ObjectStore) =>
  defineHandler(VOCABULARY, {
    ...RECORDS,
    concurrency: 1,
    async handle({ type, data }) {
      switch (type) {
        case 'evaluation.failed': {
          const { evaluation, reasons } = data;
          // One that failed before it was opened has no place; its dead letter says why.
          if ((await findRequest(store, evaluation)) !== undefined)
            await records.evaluationFailure.save(store, { schema: 'facet.failure/v1', reasons }, evaluation);
          break;
        }
        case 'dataset.failed':
          await records.datasetFailure.save(
            store,
            { schema: 'facet.failure/v1', reason: data.reason },
            data.dataset,
          );
          break;
        case 'dataset.ingested':
          await records.datasetFailure.forget(store, data.dataset);
          break;
        case 'training.requested':
          await ofTraining(store, data, (id) => records.trainingRequest.save(store, data, id));
          break;
        case 'training.completed': {
          const { request, digest } = data;
          await ofTraining(store, request, async (id) => {
            await records.trainingRequest.save(store, request, id);
            await records.trainingOutcome.save(store, { state: 'completed', sha256: digest }, id);
          });
          break;
        }
        case 'training.failed': {
          const { request, reason } = data;
          await ofTraining(store, request, async (id) => {
            await records.trainingRequest.save(store, request, id);
            await records.trainingOutcome.save(store, { state: 'failed', reason }, id);
          });
          break;
        }
      }
      return [];
    },
  });

/** A training is known by its data too; one whose dataset is gone has gone with it. */
async function ofTraining(
  store: ObjectStore,
  request: TrainingRequest,
  save: (id: string) => Promise<void>,
): Promise<void> {
  const dataset = await findDataset(store, request.dataset);
  if (dataset !== undefined) await save(trainingId(request, dataset.digest));
}
