/**
 * Trains a multitask network as a recipe says and publishes it. A training that was killed goes on from its last
 * checkpoint and ends in the same bytes; one that was finished is found.
 */
import { Dataset, publishModel, type PublishedModel, trainingId } from '@facet/catalog';
import { type BackboneName, ModelManifest, type Ref, type TrainingRequest } from '@facet/contracts';
import { type Engine, OnnxTrainer } from '@facet/engine';
import { type StepReport, train, trainingSpec, withAverages } from '@facet/learning';
import { buildMultitask, misfit, type MultitaskNetwork } from '@facet/networks';
import { inferenceModel, writeModel } from '@facet/onnx';
import { InputError } from '@facet/runtime';
import type { ObjectStore } from '@facet/store';
import { loadCheckpoint, saveCheckpoint } from './checkpoint.js';
import { SplitSamples } from './samples.js';

export interface TrainDependencies {
  readonly store: ObjectStore;
  readonly engine: Engine;
}

export interface TrainContext {
  readonly signal: AbortSignal;
  readonly onStep: (report: StepReport) => void;
}

function manifestOf(ref: Ref, network: MultitaskNetwork, dataset: Ref): ModelManifest {
  return ModelManifest.parse({
    schema: 'facet.model/v1',
    ...ref,
    description: `Multitask network trained by Facet on ${dataset.name}@${dataset.version}.`,
    input: network.input,
    output: network.output,
    facets: network.facets,
    texture: network.texture,
  });
}

/** Height and width of every map that the network predicts. */
function mapSizes({ model, facets }: MultitaskNetwork): Record<string, { height: number; width: number }> {
  const outputs = new Map(model.graph.outputs.map((value) => [value.name, value.dims.map(Number)]));
  return Object.fromEntries(
    Object.entries(facets).flatMap(([facet, { head }]) => {
      const [, , height, width] = outputs.get(head?.output ?? '') ?? [];
      return head?.kind === 'map' ? [[facet, { height, width }]] : [];
    }),
  );
}

/** Errors: InputError where the dataset does not fit; DivergedError where a loss is no longer a number. */
export async function runTraining(
  { store, engine }: TrainDependencies,
  request: TrainingRequest,
  { signal, onStep }: TrainContext,
): Promise<PublishedModel> {
  const { recipe } = request;
  const dataset = await Dataset.open(store, request.dataset);
  const network = buildMultitask({
    backbone: recipe.backbone,
    size: sizeOf(dataset, recipe.backbone),
    channels: 3,
    facets: recipe.facets,
    seed: recipe.seed,
  });
  const manifest = manifestOf(request.model, network, request.dataset);
  const id = trainingId(request, dataset.manifest.digest);
  const samples = await SplitSamples.load(dataset, 'train', manifest, mapSizes(network));
  checkBatch(recipe, samples.n);
  const trainer = new OnnxTrainer(engine, {
    model: network.model,
    spec: trainingSpec({ ...manifest, logits: network.logits }, recipe),
    updating: recipe,
    parts: recipe.parts,
  });
  const from = await loadCheckpoint(store, id);
  const { state } = await train({
    trainer,
    samples,
    recipe,
    signal,
    onStep,
    onCheckpoint: (checkpoint) => saveCheckpoint(store, id, checkpoint),
    ...(from && { from }),
  });
  const bytes = writeModel(inferenceModel(network.model, withAverages(state)));
  return publishModel(store, bytes, manifest, signal);
}

/** Errors: InputError where the backbone does not take images as the dataset holds them. */
function sizeOf({ manifest: { name, size } }: Dataset, backbone: BackboneName): number {
  const refuse = (held: string, problem: string): never => {
    throw new InputError(`dataset ${name} holds ${held}; ${problem}`, { field: 'dataset' });
  };
  if (size === 'native') return refuse('images of their own sizes', 'training needs squares of one size');
  const held = `images of ${size.width}x${size.height}`;
  if (size.height !== size.width) return refuse(held, 'training needs squares');
  const problem = misfit(backbone, size.height);
  return problem === undefined ? size.height : refuse(held, problem);
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
