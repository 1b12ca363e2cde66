/**
 * Trains a network as a recipe says and publishes it, with where it comes from. A training that was killed goes on from
 * its last checkpoint and ends in the same bytes; one that was finished is found.
 */
import { Dataset, loadModel, publishModel, type PublishedModel, records, trainingId } from '@facet/catalog';
import type { api, BackboneName, TrainingRequest } from '@facet/contracts';
import { type Engine, share } from '@facet/engine';
import { type Checkpoint, resultOf, type StepReport, train, validateOn, wantsPriors } from '@facet/learning';
import { misfit } from '@facet/networks';
import { inferenceModel, writeModel } from '@facet/onnx';
import { InputError } from '@facet/runtime';
import type { ObjectStore } from '@facet/store';
import { adversarialRows } from './adversarial-images.js';
import { type Backend, openTrainer } from './backend.js';
import { loadCheckpoint, saveCheckpoint, saveHistory } from './checkpoint.js';
import { newNetwork, publishedNetwork, type TrainedNetwork } from './network.js';
import { SplitSamples } from './samples.js';
import { loadWeights } from './weights.js';

export interface TrainDependencies {
  readonly store: ObjectStore;
  readonly engine: Engine;
  readonly backend: Backend;
}

export interface TrainContext {
  readonly signal: AbortSignal;
  readonly onStep: (report: StepReport) => void;
}

/** Errors: InputError or ModelError where request, data and network do not fit; DivergedError where a number is none. */
export async function runTraining(
  dependencies: TrainDependencies,
  request: TrainingRequest,
  { signal, onStep }: TrainContext,
): Promise<PublishedModel> {
  const { store, engine, backend: chosen } = dependencies;
  const { recipe } = request;
  const dataset = await Dataset.open(store, request.dataset);
  const network = await networkOf(dependencies, request, dataset, signal);
  const { manifest, targets, spec } = network;
  const id = trainingId(request, dataset.manifest.digest);
  const samples = await trainSamples(store, request, dataset, network);
  checkBatch(recipe, samples.n);
  const facets = attackedFacets(recipe, network);
  const { trainer, inner, backend } = await openTrainer(chosen, engine, request, {
    model: network.model,
    spec,
    updating: recipe,
    parts: recipe.parts,
    network: {
      ...network.network,
      search: recipe.adversarial?.search ?? { name: 'fast', relativeStep: 1 },
      norm: recipe.adversarial?.threat.norm ?? 'linf',
    },
  });
  let ended: Checkpoint;
  try {
    const validation = recipe.validation && (await SplitSamples.load(dataset, 'dev', manifest, targets));
    const from = await loadCheckpoint(store, id);
    ended = await train({
      trainer,
      samples,
      facets,
      recipe,
      signal,
      onStep,
      onEpoch: (checkpoint) => saveHistory(store, id, checkpoint),
      onCheckpoint: (checkpoint) => saveCheckpoint(store, id, checkpoint),
      ...(inner && { inner }),
      ...(inner &&
        validation && { validate: validateOn(inner, validation, recipe.seed, recipe.adversarial) }),
      ...(from && { from }),
    });
  } finally {
    await trainer.close();
  }
  const bytes = writeModel(inferenceModel(network.published, resultOf(ended, recipe)));
  const published = await publishModel(store, bytes, manifest, signal);
  await records.lineage.save(store, lineageOf(id, backend, request), request.model);
  return published;
}

/** Where a model comes from. */
const lineageOf = (
  training: string,
  backend: string,
  { dataset, recipe, parent, evaluation }: TrainingRequest,
): api.Lineage => ({
  kind: 'training',
  training,
  backend,
  dataset,
  recipe,
  ...(parent && { parent }),
  ...(evaluation !== undefined && { evaluation }),
});

async function networkOf(
  { store, engine }: TrainDependencies,
  { model, dataset: ref, recipe, parent }: TrainingRequest,
  dataset: Dataset,
  signal: AbortSignal,
): Promise<TrainedNetwork> {
  if (parent === undefined) {
    const weights = recipe.initial && (await loadWeights(store, recipe.initial));
    return newNetwork(model, recipe, sizeOf(dataset, recipe), ref, weights);
  }
  const published = await loadModel(store, parent);
  const { digest, manifest } = published;
  const { texture } = await engine.check({ digest, bytes: share(published.bytes), manifest }, signal);
  return publishedNetwork(model, recipe, published, texture);
}

/** The train split, and what an evaluation broke. */
async function trainSamples(
  store: ObjectStore,
  { evaluation }: TrainingRequest,
  dataset: Dataset,
  { manifest, targets }: TrainedNetwork,
): Promise<SplitSamples> {
  const own = await SplitSamples.load(dataset, 'train', manifest, targets);
  if (evaluation === undefined) return own;
  const broken = await adversarialRows(store, evaluation, dataset, manifest);
  return new SplitSamples(manifest, targets, [...own.rows, ...broken]);
}

/** Facets that attacks may take turns on. Errors: InputError where the recipe names one that the network lacks. */
function attackedFacets(
  { adversarial }: TrainingRequest['recipe'],
  { network }: TrainedNetwork,
): readonly string[] {
  const known = network.attacked.facets.map(({ facet }) => facet);
  if (adversarial === undefined) return known;
  const field = 'recipe.adversarial.mix';
  for (const { facets = [] } of adversarial.mix) {
    const strange = facets.find((facet) => !known.includes(facet));
    if (strange !== undefined)
      throw new InputError(`names ${strange}; the network has ${known.join(', ') || 'no facets'}`, { field });
  }
  const needs = wantsPriors(adversarial) || adversarial.mix.some(({ objective }) => objective === 'facet');
  if (needs && known.length === 0)
    throw new InputError('attacks facets, and the network has none: name features in its manifest', {
      field,
    });
  return known;
}

/** Errors: InputError where the backbone does not take images as the dataset holds them. */
function sizeOf(
  { manifest: { name, size: held } }: Dataset,
  { backbone, size: asked }: TrainingRequest['recipe'],
): number {
  const refuse = (field: string, problem: string): never => {
    throw new InputError(problem, { field });
  };
  const fits = (size: number, field: string, from: string): number => {
    const problem = misfit(backbone as BackboneName, size);
    return problem === undefined ? size : refuse(field, `${from}${problem}`);
  };
  if (asked !== undefined) return fits(asked, 'recipe.size', '');
  if (held === 'native')
    return refuse('recipe.size', `is missing; dataset ${name} holds images of their own sizes`);
  const from = `dataset ${name} holds images of ${held.width}x${held.height}; `;
  if (held.height !== held.width) return refuse('dataset', `${from}training needs squares, or recipe.size`);
  return fits(held.height, 'dataset', from);
}

/** Errors: InputError where the recipe cannot be followed with so many samples. */
function checkBatch({ batch, parts }: TrainingRequest['recipe'], samples: number): void {
  if (batch > samples)
    throw new InputError(`is ${batch}, but there are only ${samples} train samples`, {
      field: 'recipe.batch',
    });
  if (batch % parts !== 0)
    throw new InputError(`is ${parts}, which does not divide the batch of ${batch}`, {
      field: 'recipe.parts',
    });
}
