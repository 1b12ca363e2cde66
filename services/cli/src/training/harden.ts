/**
 * `facet harden`: a published model, of ours or of anybody's, trained on with adversarial examples; then both are evaluated
 * by one plan, on the dataset's test split and on the same task under another camera, and stand side by side.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  digestOf,
  findModel,
  loadModel,
  loadRequest,
  publishModel,
  records,
  saveStanding,
} from '@facet/catalog';
import {
  type EvaluationPlan,
  formatIssues,
  formatRef,
  ModelManifest,
  type Ref,
  TrainingRecipe,
  TrainingRequest,
} from '@facet/contracts';
import { defineHandler, InputError, type OutgoingEvent, VOCABULARY } from '@facet/runtime';
import { canonicalJson, type ObjectStore } from '@facet/store';
import { renderHardeningHtml, renderHardeningTable } from '@facet/report';
import { checkModel } from '../check-model.js';
import { type Ending, EXIT } from '../finish.js';
import { readDocument, readModelFile, readPlan } from '../inputs.js';
import { awaitEvaluations, type Completed } from '../outcome.js';
import { hardenPlan, hardenRecipe } from '../presets.js';
import { runUntil } from '../session.js';
import type { AnyHandler, System } from '../system.js';
import { type ChosenDataset, chooseDataset, refOf, requireStored, shiftedFrom } from './data.js';
import { type EvaluatedSplit, hardeningReport } from './hardening-report.js';
import { historyOf } from './train.js';

export interface HardenOptions {
  /** A file, or NAME@VERSION of a model that --out holds. */
  readonly model: string;
  /** Of a file. */
  readonly manifest?: string;
  /** As `facet train` takes it; of a model that was trained in --out, the one that it was trained on. */
  readonly dataset?: string;
  readonly recipe?: string;
  readonly plan?: string;
  readonly epsilon: number;
  readonly seed: number;
  /** NAME@VERSION of the result. */
  readonly as?: string;
  readonly evaluation?: string;
  readonly out: string;
  readonly version: string;
}

/** A model from a file, checked; undefined where it is in the store. */
interface GivenModel {
  readonly ref: Ref;
  readonly file?: { readonly bytes: Uint8Array; readonly manifest: ModelManifest };
}

type Outgoing = OutgoingEvent<typeof VOCABULARY>;

async function givenModel(
  { model, manifest: file }: HardenOptions,
  plan: EvaluationPlan,
): Promise<GivenModel> {
  if (file === undefined) {
    if (!model.includes('@'))
      throw new InputError('is missing: a model from a file needs it', { field: '--manifest' });
    return { ref: refOf(model, 'MODEL') };
  }
  const manifest = await readDocument(file, ModelManifest);
  const bytes = await readModelFile(model);
  await checkModel({ model, manifest: file }, bytes, manifest, plan);
  return { ref: { name: manifest.name, version: manifest.version }, file: { bytes, manifest } };
}

/** Under which the result is published unless the user says so. */
function resultOf({ as }: HardenOptions, { name, version }: Ref): Ref {
  if (as !== undefined) return refOf(as, '--as');
  return { name, version: `${version.slice(0, 54)}-hardened` };
}

/** The dataset that a model of the store was trained on. Errors: InputError where that is not known. */
async function ownDataset(store: ObjectStore, model: Ref): Promise<ChosenDataset> {
  const lineage = await records.lineage.find(store, model);
  if (lineage?.kind !== 'training')
    throw new InputError(`is missing: the store does not say on what ${formatRef(model)} was trained`, {
      field: '--dataset',
    });
  return { dataset: lineage.dataset };
}

/** As {@link shiftedFrom}, of a dataset that may be stored already. */
async function shiftedOf(
  store: ObjectStore,
  { dataset, source }: ChosenDataset,
): Promise<Required<ChosenDataset>> {
  const made = source ?? (await records.registration.find(store, dataset))?.source;
  return shiftedFrom({ dataset, ...(made && { source: made }) });
}

interface Plan {
  readonly request: TrainingRequest;
  readonly plan: EvaluationPlan;
  readonly given: GivenModel;
}

/** Errors: InputError where an evaluation attacked the images that judge under another camera; those of the dataset's own test split a training refuses by itself. */
async function checkJudge(store: ObjectStore, evaluation: string, shifted: Ref): Promise<void> {
  const { dataset } = await loadRequest(store, evaluation);
  if (formatRef(dataset) === formatRef(shifted))
    throw new InputError(
      `${evaluation} attacked ${formatRef(shifted)}, by which the result is judged under another camera; evaluate the model ` +
        'on another dataset, and train on those images',
      { field: '--evaluation' },
    );
}

async function planOf(
  options: HardenOptions,
  store: ObjectStore,
  chosen: ChosenDataset,
  shifted: Ref,
  given: GivenModel,
  plan: EvaluationPlan,
): Promise<Plan> {
  const file = options.recipe ?? 'the recipe';
  const recipe =
    options.recipe === undefined
      ? hardenRecipe(options.seed, options.epsilon)
      : await readDocument(options.recipe, TrainingRecipe);
  if (given.file === undefined && (await findModel(store, given.ref)) === undefined)
    throw new InputError(`there is no model ${formatRef(given.ref)} in ${options.out}`, { field: 'MODEL' });
  const { evaluation } = options;
  if (evaluation !== undefined) await checkJudge(store, evaluation, shifted);
  const checked = TrainingRequest.safeParse({
    model: resultOf(options, given.ref),
    parent: given.ref,
    dataset: chosen.dataset,
    recipe,
    ...(evaluation !== undefined && { evaluation }),
  });
  if (!checked.success)
    throw new InputError(formatIssues(checked.error).join(`\n${file}: `), { file, cause: checked.error });
  return { request: checked.data, plan, given };
}

export async function hardenCommand(options: HardenOptions): Promise<number> {
  const plan =
    options.plan === undefined
      ? hardenPlan(options.seed, options.epsilon)
      : await readPlan(options.plan, options.seed);
  const given = await givenModel(options, plan);
  const parent = given.ref;
  const hardened = resultOf(options, parent);
  const chosen = options.dataset === undefined ? undefined : await chooseDataset(options.dataset);
  let work: Work | undefined;
  // Other standing evaluations may look at the same models, by other plans and on other data.
  const conclusion = awaitEvaluations(
    2 * 2,
    async ({ evaluation, model, dataset }) => {
      if (work === undefined) return false;
      const among = (refs: readonly Ref[], ref: Ref): boolean =>
        refs.some((one) => formatRef(one) === formatRef(ref));
      const ours =
        among([parent, hardened], model) && among([work.data.dataset, work.shifted.dataset], dataset);
      if (!ours) return false;
      const asked = await loadRequest(work.store, evaluation);
      return canonicalJson(asked.plan) === canonicalJson(plan);
    },
    ({ model, dataset }) => `${formatRef(model)} ${formatRef(dataset)}`,
  );
  return runUntil(options, () => conclusion, {
    begin: async (system) => {
      const data = chosen ?? (await ownDataset(system.store, parent));
      await requireStored(system.store, data);
      const shifted = await shiftedOf(system.store, data);
      const planned = await planOf(options, system.store, data, shifted.dataset, given, plan);
      work = { ...planned, store: system.store, data, shifted };
      return beginHardening(system, work);
    },
    end: (system, completed) => finishHardening(system, work!, completed, options.out),
  });
}

interface Work extends Plan {
  readonly store: ObjectStore;
  readonly data: ChosenDataset;
  readonly shifted: Required<ChosenDataset>;
}

async function beginHardening(
  { store, publish }: System,
  { request, plan, given, data, shifted }: Work,
): Promise<AnyHandler[]> {
  const parent = request.parent!;
  if (given.file) await publishModel(store, given.file.bytes, given.file.manifest);
  const { digest } = await loadModel(store, parent);
  const own = digestOf(request).slice(0, 12);
  for (const [i, { dataset }] of [data, shifted].entries())
    for (const model of [parent, request.model])
      await saveStanding(store, {
        schema: 'facet.standing/v1',
        name: `harden-${own}-${i}-${model === parent ? 'before' : 'after'}`,
        models: model.name,
        version: model.version,
        dataset,
        plan,
        ...(model === parent ? {} : { baseline: parent }),
      });
  const ask: Outgoing[] = [
    { type: 'model.published', subject: formatRef(parent), data: { model: parent, digest } },
    { type: 'training.requested', subject: formatRef(request.model), data: request },
  ];
  const ingest = ({ dataset, source }: Required<ChosenDataset>): Outgoing => ({
    type: 'ingestion',
    subject: formatRef(dataset),
    data: { dataset, source },
  });
  /** First the dataset, then what is made of it, then both models. */
  const next = defineHandler(VOCABULARY, {
    name: 'harden',
    consumes: ['dataset.ingested'],
    publishes: ['ingestion', 'model.published', 'training.requested'],
    concurrency: 1,
    ackWaitMs: 30_000,
    attemptLimitMs: 30_000,
    maxDeliver: 1,
    handle: ({ data: { dataset } }): Promise<Outgoing[]> =>
      Promise.resolve(formatRef(dataset) === formatRef(shifted.dataset) ? ask : [ingest(shifted)]),
  });
  await publish(ingest(data.source === undefined ? shifted : { ...data, source: data.source }));
  return [next as AnyHandler];
}

async function finishHardening(
  { store }: System,
  { request, data, shifted }: Work,
  completed: readonly Completed[],
  out: string,
): Promise<Ending> {
  const evaluationOf = (model: Ref, { dataset }: ChosenDataset): string =>
    completed.find(
      (one) => formatRef(one.model) === formatRef(model) && formatRef(one.dataset) === formatRef(dataset),
    )!.evaluation;
  const splitOf = (name: EvaluatedSplit['name'], chosen: ChosenDataset): EvaluatedSplit => ({
    name,
    dataset: chosen.dataset,
    parent: evaluationOf(request.parent!, chosen),
    hardened: evaluationOf(request.model, chosen),
  });
  const splits = [splitOf('test', data), splitOf('shifted', shifted)];
  const report = await hardeningReport(store, request, await historyOf(store, request), splits);
  const { bytes, manifest } = await loadModel(store, request.model);
  await mkdir(out, { recursive: true });
  const files = {
    'harden.json': canonicalJson(report),
    'harden.html': renderHardeningHtml(report),
    'hardened.onnx': bytes,
    'hardened.manifest.json': canonicalJson(manifest),
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(out, name), content);
  const lines = [
    '',
    renderHardeningTable(report),
    ...report.notes.map((note) => `Note: ${note}`),
    '',
    `Model: ${join(out, 'hardened.onnx')}`,
    `Report: ${join(out, 'harden.html')}`,
    '',
  ];
  return { code: EXIT.passed, text: lines.join('\n') };
}
