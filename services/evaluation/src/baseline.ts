/**
 * Finds what a model is compared with, and the evaluation that attacked it by the same plan on the same data. Where there is
 * none yet, it is asked for first, and what waits for it is asked for again when it has ended.
 */
import { findRequest, loadModel, type PlannedEvaluation, publishedVersions } from '@facet/catalog';
import { type Baseline, type EvaluationPlan, FACTS, formatRef, keys, type Ref } from '@facet/contracts';
import { InputError } from '@facet/runtime';
import { canonicalJson, type ObjectStore, readJson, writeJson } from '@facet/store';
import { z } from 'zod';

/** Versions as people count: 1.9 comes before 1.10. */
const COUNTING = new Intl.Collator('en', { numeric: true });

const same = (a: Ref, b: Ref): boolean => a.name === b.name && a.version === b.version;

/** The model that is meant; undefined where a first version asks for its previous one. Errors: InputError. */
export async function baselineModel(
  store: ObjectStore,
  model: Ref,
  wanted: Baseline,
): Promise<Ref | undefined> {
  if (wanted !== 'previous') {
    if (same(model, wanted))
      throw new InputError(`${formatRef(wanted)} is the model itself`, { field: 'baseline' });
    await loadModel(store, wanted);
    return wanted;
  }
  const earlier = (await publishedVersions(store, model.name))
    .filter((version) => COUNTING.compare(version, model.version) < 0)
    .sort((a, b) => COUNTING.compare(a, b));
  const version = earlier.at(-1);
  return version === undefined ? undefined : { name: model.name, version };
}

type Question = Pick<PlannedEvaluation, 'model' | 'dataset' | 'plan'>;

/** An evaluation of a model by a plan on a dataset that has its report, whatever its policy was. */
export async function finishedEvaluation(
  store: ObjectStore,
  question: Question,
): Promise<string | undefined> {
  const asked = canonicalJson(questionOf(question));
  for await (const evaluation of store.folders(keys.evaluation.all)) {
    if (!evaluation.startsWith(question.model.name.slice(0, 40))) continue;
    const request = await findRequest(store, evaluation);
    if (request === undefined || canonicalJson(questionOf(request)) !== asked) continue;
    if ((await store.get(keys.evaluation.report(evaluation, 'json'))) !== undefined) return evaluation;
  }
  return undefined;
}

const questionOf = ({
  model,
  dataset,
  plan,
}: Question): { model: Ref; dataset: Ref; plan: EvaluationPlan } => ({
  model,
  dataset,
  plan,
});

/** What is asked for again when an evaluation ends. */
const Waiting = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('evaluation.requested'), data: FACTS['evaluation.requested'] }),
]);
export type Waiting = z.infer<typeof Waiting>;

/** Has `then` asked for again once `evaluation` has ended. */
export async function waitFor(
  store: ObjectStore,
  evaluation: string,
  name: string,
  then: Waiting,
): Promise<void> {
  await writeJson(store, keys.evaluation.waiting(evaluation, name), then);
}

/** What waits for an evaluation that has ended, by name. */
export async function waitingFor(
  store: ObjectStore,
  evaluation: string,
): Promise<{ name: string; then: Waiting }[]> {
  const prefix = keys.evaluation.allWaiting(evaluation);
  const found: { name: string; then: Waiting }[] = [];
  for await (const { key } of store.list(prefix)) {
    const then = await readJson(store, key, (value) => Waiting.parse(value));
    if (then !== undefined) found.push({ name: key.slice(prefix.length, -'.json'.length), then });
  }
  return found;
}
