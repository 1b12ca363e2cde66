/**
 * The network of a training: a new one by its backbone, or a published model that is trained on. Either way one graph
 * over `pixels` in [0,1] from which step, attacks and scores are compiled, and the model whose weights are replaced by
 * what was learnt.
 */
import { type AttackedFacet, inputTransform } from '@facet/adversary';
import type { PublishedModel } from '@facet/catalog';
import {
  ATTRIBUTES,
  DECISION_FACET,
  type ModelFacet,
  ModelManifest,
  type Ref,
  type TrainingRecipe,
} from '@facet/contracts';
import type { Attackable } from '@facet/engine';
import { CONSISTENCY, trainingSpec } from '@facet/learning';
import { buildMultitask, withInitialWeights, type WeightSource } from '@facet/networks';
import {
  type Dim,
  inferShapes,
  inPixels,
  type LossSpec,
  type Model,
  ModelError,
  type Prepared,
  prepare,
  raiseOpset,
  readModel,
  rebatch,
  type TrainingSpec,
} from '@facet/onnx';
import { InputError } from '@facet/runtime';
import { before, decisionLoss, elementsOf, type TrainedLoss } from './decision.js';
import { FACET_CLASSES, type TargetSpec } from './targets.js';

export interface TrainedNetwork {
  /** What is published, with other weights. */
  readonly published: Model;
  readonly manifest: ModelManifest;
  /** Over `pixels`. */
  readonly model: Model;
  readonly spec: TrainingSpec;
  /** By loss. */
  readonly targets: Readonly<Record<string, TargetSpec>>;
  readonly network: Pick<Attackable, 'attacked'>;
}

/** Of a manifest, at most. */
const DESCRIPTION_LENGTH = 2000;

/** Depth and reflection, whose heads predict maps. */
const MAPS = ['depth', 'reflection'];

/** A loss per head beside the decision's. Errors: InputError where a head has not as many outputs as there are labels. */
function headLoss(
  { model: { graph }, shapes }: Prepared,
  facet: string,
  { output, kind }: NonNullable<ModelFacet['head']>,
): TrainedLoss {
  const count = elementsOf(shapes, output);
  const wanted = kind === 'multi-label' ? ATTRIBUTES.length : FACET_CLASSES[facet]?.length;
  if (kind !== 'map' && count !== wanted)
    throw new InputError(
      wanted === undefined
        ? `no dataset labels the facet ${facet}; name the facets to train on in the recipe`
        : `the head of ${facet} has ${count} outputs, and there are ${wanted} labels; leave it out of recipe.facets`,
      { field: 'recipe.facets' },
    );
  if (kind === 'classes') return { loss: { kind: 'cross-entropy', output }, target: { kind, facet } };
  if (kind === 'multi-label')
    return { loss: { kind: 'binary-cross-entropy', output }, target: { kind, facet } };
  const [, , height, width] = (shapes.get(output)?.dims ?? []).map(Number);
  const target = { kind, facet, height, width } as const;
  const logits = before(graph, output, 'Sigmoid');
  return logits === undefined
    ? { loss: { kind: 'mean-squared-error', output }, target }
    : { loss: { kind: 'binary-cross-entropy', output: logits }, target };
}

/** Facets as attacks know them; what is fitted to them comes with the training. */
const attackedFacets = ({ facets }: ModelManifest): AttackedFacet[] =>
  Object.entries(facets)
    .filter(([facet]) => facet !== DECISION_FACET)
    .map(([facet, { feature, head }]) => ({
      facet,
      feature,
      source: head === undefined ? 'tensor' : 'head',
      ...(head && { head }),
    }));

function consistencyLoss(recipe: TrainingRecipe, { output }: ModelManifest): LossSpec[] {
  const search = recipe.adversarial?.search;
  if (search?.name !== 'trades') return [];
  if (output.kind !== 'logits')
    throw new InputError(`is TRADES, which compares class logits; the model decides by ${output.kind}`, {
      field: 'recipe.adversarial.search',
    });
  return [
    {
      name: CONSISTENCY,
      kind: 'consistency',
      output: output.name,
      target: `target/${CONSISTENCY}`,
      mask: `mask/${CONSISTENCY}`,
      weight: search.beta,
    },
  ];
}

function completed(
  recipe: TrainingRecipe,
  about: Omit<TrainedNetwork, 'network'>,
  texture: string,
): TrainedNetwork {
  const { manifest, spec } = about;
  const batchNorm = recipe.batchNorm ?? spec.batchNorm;
  return {
    ...about,
    spec: {
      ...spec,
      ...(batchNorm && { batchNorm }),
      losses: [...spec.losses, ...consistencyLoss(recipe, manifest)],
    },
    network: {
      attacked: {
        input: manifest.input,
        output: manifest.output,
        facets: attackedFacets(manifest),
        texture: { tensor: texture },
      },
    },
  };
}

/** Height and width of every map that a network predicts. */
function mapSize(model: Model, output: string): { height: number; width: number } {
  const [, , height, width] = (model.graph.outputs.find(({ name }) => name === output)?.dims ?? []).map(
    Number,
  );
  return { height, width };
}

/** A new network. `weights`: to begin from. Errors: InputError where they do not fit. */
export function newNetwork(
  ref: Ref,
  recipe: TrainingRecipe,
  size: number,
  dataset: Ref,
  weights: WeightSource | undefined,
): TrainedNetwork {
  const { backbone, facets = [], seed } = recipe;
  if (backbone === undefined) throw new InputError('is missing', { field: 'recipe.backbone' });
  const built = buildMultitask({ backbone, size, channels: 3, facets, seed });
  const manifest = ModelManifest.parse({
    schema: 'facet.model/v1',
    ...ref,
    description: `Multitask network trained by Facet on ${dataset.name}@${dataset.version}.`,
    input: built.input,
    output: built.output,
    facets: built.facets,
    texture: built.texture,
  });
  const targets = Object.entries(built.facets).flatMap(([facet, { head }]): [string, TargetSpec][] => {
    if (head === undefined) return [];
    if (facet === DECISION_FACET) return [[facet, { kind: 'decision' }]];
    if (MAPS.includes(facet)) return [[facet, { kind: 'map', facet, ...mapSize(built.model, head.output) }]];
    return [[facet, { kind: head.kind === 'multi-label' ? 'multi-label' : 'classes', facet }]];
  });
  const model = weights === undefined ? built.model : started(built.model, weights, recipe);
  return completed(
    recipe,
    {
      published: model,
      manifest,
      model,
      spec: trainingSpec({ ...manifest, logits: built.logits }, recipe),
      targets: Object.fromEntries(targets),
    },
    built.texture,
  );
}

function started(model: Model, weights: WeightSource, { initial }: TrainingRecipe): Model {
  try {
    return withInitialWeights(model, weights, initial?.pixels ?? 'unit');
  } catch (cause) {
    if (!(cause instanceof ModelError)) throw cause;
    throw new InputError(cause.message, { field: 'recipe.initial', cause });
  }
}

/** Tensors that a manifest speaks of, which folding must leave. */
const namedTensors = ({ output, facets, texture }: ModelManifest, found: string): Set<string> =>
  new Set([
    output.name,
    texture ?? found,
    ...Object.values(facets).flatMap(({ feature, head }) =>
      head === undefined ? [feature] : [feature, head.output],
    ),
  ]);

/**
 * A published model, trained on under another name. With frozen statistics BatchNormalization is folded into the
 * convolutions that it can be folded into, which costs least; what else there is keeps its own.
 *
 * @param texture a mid-depth feature map, where the manifest names none
 * @throws ModelError naming what of the model cannot be trained; InputError for a recipe that does not fit it
 */
export function publishedNetwork(
  ref: Ref,
  recipe: TrainingRecipe,
  parent: PublishedModel,
  texture: string,
): TrainedNetwork {
  const { input, output, facets } = parent.manifest;
  // Bytes and threshold are the parent's own.
  const kept = Object.entries(parent.manifest).filter(
    ([field]) => field !== 'sha256' && field !== 'threshold',
  );
  const told = `${parent.ref.name}@${parent.ref.version}, trained on by Facet. ${parent.manifest.description ?? ''}`;
  const manifest = ModelManifest.parse({
    ...Object.fromEntries(kept),
    ...ref,
    description: told.trim().slice(0, DESCRIPTION_LENGTH),
    texture,
  });
  const read = rebatch(raiseOpset(readModel(Uint8Array.from(parent.bytes))));
  const dims = new Map<string, readonly Dim[]>([
    [input.name, [{ perSample: 1 }, 3, input.height, input.width]],
  ]);
  const batchNorm = recipe.batchNorm ?? 'frozen';
  const opened: Prepared =
    batchNorm === 'frozen'
      ? prepare(read, dims, { keep: namedTensors(manifest, texture) })
      : { model: read, shapes: inferShapes(read.graph, dims) };
  const { model, shapes } = inPixels(opened, inputTransform(input));
  const wanted = new Set<string>(recipe.facets ?? Object.keys(facets));
  const missing = (recipe.facets ?? []).find((facet) => facets[facet]?.head === undefined);
  if (missing !== undefined)
    throw new InputError(`names ${missing}, for which the model has no head`, { field: 'recipe.facets' });
  const heads = Object.entries(facets).flatMap(([facet, { head }]): [string, TrainedLoss][] =>
    head === undefined || facet === DECISION_FACET || !wanted.has(facet)
      ? []
      : [[facet, headLoss({ model, shapes }, facet, head)]],
  );
  const losses: [string, TrainedLoss][] = [
    [DECISION_FACET, decisionLoss(model.graph, shapes, output)],
    ...heads,
  ];
  const weights: Partial<Record<string, number>> = recipe.lossWeights;
  return completed(
    recipe,
    {
      published: opened.model,
      manifest,
      model,
      spec: {
        input: 'pixels',
        channels: 3,
        height: input.height,
        width: input.width,
        batchNorm,
        losses: losses.map(([name, { loss }]) => ({
          ...loss,
          name,
          target: `target/${name}`,
          mask: `mask/${name}`,
          weight: weights[name] ?? 1,
        })),
      },
      targets: Object.fromEntries(losses.map(([name, { target }]) => [name, target])),
    },
    texture,
  );
}
