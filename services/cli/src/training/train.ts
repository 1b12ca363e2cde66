/**
 * `facet train`: a network trained as a recipe says on labelled images, published in the store and written to the
 * folder. Interrupted or killed it goes on from its last checkpoint, and ends in the same bytes.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findDataset, loadModel, sha256, trainingId } from '@facet/catalog';
import {
  formatRef,
  keys,
  type Ref,
  TrainingHistory,
  TrainingRecipe,
  TrainingRequest,
  formatIssues,
} from '@facet/contracts';
import { defineHandler, InputError, type OutgoingEvent, VOCABULARY } from '@facet/runtime';
import { canonicalJson, type ObjectStore, readJson } from '@facet/store';
import { EXIT, type Ending } from '../finish.js';
import { readDocument, readModelFile } from '../inputs.js';
import { runUntil } from '../session.js';
import type { AnyHandler, System } from '../system.js';
import { chooseDataset, refOf, requireStored } from './data.js';
import { historyTable } from './history-table.js';
import { awaitTraining, type Trained } from './trained.js';

export interface TrainOptions {
  readonly recipe: string;
  readonly dataset: string;
  /** NAME@VERSION that the network is published as. */
  readonly model: string;
  /** Instead of the recipe's. */
  readonly backbone?: string;
  readonly facets?: readonly string[];
  readonly seed?: number;
  /** A file to begin from: safetensors, or an ONNX model with the same layers. */
  readonly weights?: string;
  readonly pixels?: string;
  readonly out: string;
  readonly version: string;
}

/** A recipe may leave to the command what changes from run to run. */
const RecipeFile = TrainingRecipe.partial({ seed: true, initial: true });

/** Errors: InputError with a line per finding. */
async function requestOf(
  options: TrainOptions,
  model: Ref,
  dataset: Ref,
): Promise<{ request: TrainingRequest; weights: Uint8Array | undefined }> {
  const file = await readDocument(options.recipe, RecipeFile);
  const weights = options.weights === undefined ? undefined : await readModelFile(options.weights);
  const recipe = {
    ...file,
    seed: options.seed ?? file.seed ?? 0,
    ...(options.backbone !== undefined && { backbone: options.backbone }),
    ...(options.facets !== undefined && { facets: options.facets }),
    ...(weights && { initial: { sha256: sha256(weights), pixels: options.pixels } }),
  };
  const checked = TrainingRequest.safeParse({ model, dataset, recipe });
  if (!checked.success)
    throw new InputError(formatIssues(checked.error).join(`\n${options.recipe}: `), {
      file: options.recipe,
      cause: checked.error,
    });
  return { request: checked.data, weights };
}

/** Puts a recipe's initial weights where the training finds them. */
async function storeWeights(store: ObjectStore, weights: Uint8Array | undefined): Promise<void> {
  if (weights !== undefined) await store.put(keys.weights.one(sha256(weights)), weights);
}

export async function trainCommand(options: TrainOptions): Promise<number> {
  const model = refOf(options.model, '--model');
  const chosen = await chooseDataset(options.dataset);
  const { request, weights } = await requestOf(options, model, chosen.dataset);
  const ask: OutgoingEvent<typeof VOCABULARY> = {
    type: 'training.requested',
    subject: formatRef(model),
    data: request,
  };
  const trainOnDataset = defineHandler(VOCABULARY, {
    name: 'train',
    consumes: ['dataset.ingested'],
    publishes: ['training.requested'],
    concurrency: 1,
    ackWaitMs: 30_000,
    attemptLimitMs: 30_000,
    maxDeliver: 1,
    handle: (): Promise<OutgoingEvent<typeof VOCABULARY>[]> => Promise.resolve([ask]),
  });
  const begin = async (system: System): Promise<AnyHandler[]> => {
    const { store, publish } = system;
    await requireStored(store, chosen);
    await storeWeights(store, weights);
    const { dataset, source } = chosen;
    if (source === undefined) await publish(ask);
    else await publish({ type: 'ingestion', subject: formatRef(dataset), data: { dataset, source } });
    return [trainOnDataset as AnyHandler];
  };
  return runUntil(options, () => awaitTraining(model), {
    begin,
    end: ({ store }, trained) => finishTraining(store, trained, options.out),
  });
}

/** Brings the network to where the user looks for it, and says how the training went. */
export async function finishTraining(
  store: ObjectStore,
  { request, digest }: Trained,
  out: string,
): Promise<Ending> {
  const { bytes, manifest } = await loadModel(store, request.model);
  const history = await historyOf(store, request);
  await mkdir(out, { recursive: true });
  await writeFile(join(out, 'model.onnx'), bytes);
  await writeFile(join(out, 'manifest.json'), canonicalJson(manifest));
  await writeFile(join(out, 'training.json'), canonicalJson(history));
  const lines = [
    '',
    historyTable(history),
    '',
    `${formatRef(request.model)}  sha256 ${digest}`,
    `Network: ${join(out, 'model.onnx')}, with manifest.json and training.json beside it`,
    '',
  ];
  return { code: EXIT.passed, text: lines.join('\n') };
}

/** How a training went. */
export async function historyOf(store: ObjectStore, request: TrainingRequest): Promise<TrainingHistory> {
  const dataset = await findDataset(store, request.dataset);
  const id = trainingId(request, dataset?.digest ?? '');
  const found = await readJson(store, keys.training.history(id), (value) => TrainingHistory.parse(value));
  return found ?? { schema: 'facet.training-history/v1', epochs: [], best: 0 };
}
