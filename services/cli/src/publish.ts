/**
 * How models that somebody hands in get into the system: once their dataset is stored they are published, and a standing
 * evaluation of each makes of that fact what a cluster would. `evaluate` and `transfer` begin alike.
 */
import { publishModel, saveStanding } from '@facet/catalog';
import { formatRef, type ModelManifest, type Ref, type StandingEvaluation } from '@facet/contracts';
import { defineHandler, inFile, type OutgoingEvent, VOCABULARY } from '@facet/runtime';
import type { AnyHandler, System } from './system.js';

/** A model that was found to be whole, and the manifest's file, for messages. */
export interface Subject {
  readonly file: string;
  readonly manifest: ModelManifest;
  readonly bytes: Uint8Array;
  readonly digest: string;
}

export const refOf = ({ manifest: { name, version } }: Subject): Ref => ({ name, version });

export interface Beginning {
  readonly subjects: readonly Subject[];
  readonly dataset: Ref;
  /** Where the dataset lies. */
  readonly folder: string;
  /** The name under which a subject's standing evaluation is known. */
  readonly standingName: (subject: Subject, index: number) => string;
  readonly asked: Pick<StandingEvaluation, 'plan' | 'policy' | 'baseline'>;
}

export async function beginWith(
  { store, publish }: System,
  { subjects, dataset, folder, standingName, asked }: Beginning,
): Promise<AnyHandler[]> {
  const publishAll = defineHandler(VOCABULARY, {
    name: 'cli-publish',
    consumes: ['dataset.ingested'],
    publishes: ['model.published', 'evaluation.failed'],
    concurrency: 1,
    ackWaitMs: 30_000,
    attemptLimitMs: 30_000,
    maxDeliver: 1,
    async handle(): Promise<OutgoingEvent<typeof VOCABULARY>[]> {
      for (const { file, bytes, manifest } of subjects)
        await inFile(file, () => publishModel(store, bytes, manifest));
      return subjects.map((one) => {
        const subject = formatRef(refOf(one));
        return {
          type: 'model.published',
          key: subject,
          subject,
          data: { model: refOf(one), digest: one.digest },
        };
      });
    },
    onGivenUp: (_, { message }) => [
      {
        type: 'evaluation.failed',
        data: { evaluation: `publish-${subjects[0].digest.slice(0, 16)}`, reasons: [message] },
      },
    ],
  });
  for (const [i, subject] of subjects.entries()) {
    const { name, version } = refOf(subject);
    await saveStanding(store, {
      schema: 'facet.standing/v1',
      name: standingName(subject, i),
      models: name,
      version,
      dataset,
      ...asked,
    });
  }
  await publish({
    type: 'ingestion',
    subject: formatRef(dataset),
    data: { dataset, source: { kind: 'folder', path: folder } },
  });
  return [publishAll as AnyHandler];
}
