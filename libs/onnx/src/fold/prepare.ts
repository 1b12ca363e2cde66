/**
 * From a model as a file gives it to the graph that is differentiated and attacked: sizes fixed up to the batch,
 * constants folded, what only passes its input on removed, BatchNormalization moved into the weights before it.
 * The outputs keep their names and, up to rounding, their values. A quantised model becomes the float computation on
 * its dequantised weights, one of half precision float32: their gradients are what an attack follows, while decisions
 * come from the model as it is published.
 */
import { withoutDead, valueInfo } from '../graph-tools/walk.js';
import type { Dim, Graph, Model, Shapes } from '../graph.js';
import { inFloat } from '../quantised/in-float.js';
import { DEFAULT_LIMITS, infer, inferShapes, type Limits, type Tracking } from '../shapes/infer.js';
import { foldBatchNorms } from './batch-norm.js';
import { foldConstants } from './constants.js';
import { joinLayerNorms } from './layer-norm.js';
import { flushMasked } from './masked-softmax.js';
import { removePassing } from './passing.js';
import { poolFirst } from './pool-first.js';
import { settleTargets } from './targets.js';

export interface PreparedModel {
  readonly model: Model;
  /** Of every tensor of the prepared graph. */
  readonly shapes: Shapes;
}

export interface PrepareOptions {
  /** Tensors that must survive under their names: embeddings and feature maps that a manifest names. */
  readonly keep?: ReadonlySet<string>;
  readonly limits?: Limits;
}

/** Swin's attention masks and a transposed weight of the largest transformers fold; a model grows by no gigabytes. */
const FOLDING: Tracking = { elementsPerTensor: 2 ** 24, totalElements: 2 ** 26 };

/** Inputs and outputs with what is known of their sizes; initializers are no inputs. */
function declared(graph: Graph, shapes: Shapes): Graph {
  return {
    ...graph,
    inputs: graph.inputs
      .filter(({ name }) => !graph.initializers.has(name))
      .map(({ name }) => valueInfo(name, shapes)),
    outputs: graph.outputs.map(({ name }) => valueInfo(name, shapes)),
  };
}

/**
 * Fixes, folds and simplifies a model of operator set 18 or later.
 *
 * @param inputs the graph's inputs by name, such as `[{ perSample: 1 }, 3, 224, 224]`, as {@link inferShapes}
 *   takes them. In the result the batch is called 'N'.
 * @throws ModelError as {@link inferShapes} does, and 'invalid' if a tensor of `keep` is not in the graph.
 */
export function prepare(
  model: Model,
  inputs: ReadonlyMap<string, readonly Dim[]>,
  { keep = new Set(), limits = DEFAULT_LIMITS }: PrepareOptions = {},
): PreparedModel {
  const given = infer(model.graph, inputs, limits, FOLDING);
  for (const name of keep) valueInfo(name, given.shapes);
  const pinned = new Set([...keep, ...model.graph.outputs.map(({ name }) => name)]);

  const folded = foldConstants(declared(model.graph, given.shapes), given.values);
  let graph = inFloat(folded, given.shapes, keep);
  const { shapes, values } = graph === folded ? given : infer(graph, inputs, limits, FOLDING);
  if (graph !== folded) graph = foldConstants(declared(graph, shapes), values);
  graph = settleTargets(graph, shapes, values);
  graph = removePassing(graph, shapes, pinned);
  graph = foldBatchNorms(graph, shapes, pinned);
  graph = poolFirst(graph, pinned);
  graph = joinLayerNorms(graph, shapes, pinned);
  graph = flushMasked(graph);
  graph = withoutDead(graph, pinned);
  return { model: { ...model, graph }, shapes: inferShapes(graph, inputs, limits) };
}
