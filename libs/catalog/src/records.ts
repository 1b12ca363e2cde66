/**
 * What the other artifacts cannot say by themselves: that an evaluation was cancelled, why something failed, where a
 * model comes from. Each is written once, by whoever learns it, and is the only place where it stands.
 */
import { api, DatasetSource, keys, type Ref, TrainingRequest } from '@facet/contracts';
import { type ObjectStore, readJson, writeJson } from '@facet/store';
import { z } from 'zod';
import { digestOf } from './digest.js';

/** `evaluations/<id>/failed.json`. */
export const EvaluationFailure = z.strictObject({
  schema: z.literal('facet.failure/v1'),
  reasons: z.array(z.string()),
});

/** `evaluations/<id>/cancelled.json`. */
export const Cancellation = z.strictObject({ schema: z.literal('facet.cancelled/v1'), by: z.string() });

/** `datasets/<name>/<version>/registration.json`. */
export const DatasetRegistration = z.strictObject({
  schema: z.literal('facet.registration/v1'),
  source: DatasetSource,
});
export type DatasetRegistration = z.infer<typeof DatasetRegistration>;

/** `datasets/<name>/<version>/failure.json`. */
export const DatasetFailure = z.strictObject({
  schema: z.literal('facet.failure/v1'),
  reason: z.string(),
});

/** `trainings/<id>/outcome.json`. */
export const TrainingOutcome = z.discriminatedUnion('state', [
  z.strictObject({ state: z.literal('completed'), sha256: z.string() }),
  z.strictObject({ state: z.literal('failed'), reason: z.string() }),
]);
export type TrainingOutcome = z.infer<typeof TrainingOutcome>;

/** The same recipe on the same data for the same name is the same training. */
export const trainingId = (request: TrainingRequest, datasetDigest: string): string =>
  digestOf({ request, dataset: datasetDigest }).slice(0, 16);

/** Whether somebody has stopped an evaluation: its jobs then have nothing to do. */
export const isCancelled = async (store: ObjectStore, evaluation: string): Promise<boolean> =>
  (await store.get(keys.evaluation.cancelled(evaluation))) !== undefined;

/** Reading and writing of one kind of record. */
const record = <S extends z.ZodType, A extends readonly unknown[]>(
  schema: S,
  key: (...about: A) => string,
) => ({
  find: (store: ObjectStore, ...about: A): Promise<z.output<S> | undefined> =>
    readJson(store, key(...about), (value) => schema.parse(value)),
  save: async (store: ObjectStore, value: z.output<S>, ...about: A): Promise<void> => {
    await writeJson(store, key(...about), value);
  },
  forget: (store: ObjectStore, ...about: A): Promise<void> => store.delete(key(...about)),
});

export const records = {
  evaluationFailure: record(EvaluationFailure, (id: string) => keys.evaluation.failed(id)),
  cancellation: record(Cancellation, (id: string) => keys.evaluation.cancelled(id)),
  registration: record(DatasetRegistration, (ref: Ref) => keys.dataset.registration(ref)),
  datasetFailure: record(DatasetFailure, (ref: Ref) => keys.dataset.failure(ref)),
  trainingRequest: record(TrainingRequest, (id: string) => keys.training.request(id)),
  trainingOutcome: record(TrainingOutcome, (id: string) => keys.training.outcome(id)),
  lineage: record(api.Lineage, (ref: Ref) => keys.model.lineage(ref)),
} as const;
