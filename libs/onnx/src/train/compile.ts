/**
 * A training step as one graph: forward with the batch's statistics, masked losses, and the gradients of all weights.
 * Weights and running moments come in as tensors, so a step has no state of its own: the same inputs give the same
 * outputs. How weights move is the optimiser's, once the gradients of all parts of a batch are there.
 *
 * Inputs: the spec's `input` [N, channels, height, width]; each loss's target and mask; every trainable weight and
 * running moment under its own name.
 * Outputs: `loss/<name>`, scalars; `gradient/<weight>`; `next/<moment>` for every running moment.
 *
 * Sessions of it are fastest with `graphOptimizationLevel: 'extended'`: above that the runtime blocks channels,
 * which costs reorderings here, since weights are inputs. BatchNormalization must not be folded beforehand.
 */
import { GraphBuilder, modelOf } from '../builder.js';
import { ModelError } from '../errors.js';
import { appendGradients } from '../gradient/gradients.js';
import type { Rule } from '../gradient/rule.js';
import { RULES } from '../gradient/rules.js';
import type { Graph, Model, Node, Shapes } from '../graph.js';
import { inferShapes } from '../shapes/infer.js';
import { appendBatchNorm, batchNormRule, frozenNormRule, type Moments } from './batch-statistics.js';
import { convolutionRule, type PendingFactors } from './convolution.js';
import { appendLoss } from './losses.js';
import { type Masked, maxPoolRule, reluRule } from './pooling.js';
import { gradientOf, type TrainingSpec } from './spec.js';
import { type Parameter, parametersOf, type Weight } from './parameters.js';

/** Reductions take their axes as an input from here on. */
const OLDEST_OPSET = 18;

/** A compiled step, and what goes through it. */
export interface TrainingStep {
  readonly model: Model;
  readonly weights: readonly Weight[];
  /** Running means and variances of BatchNormalization. */
  readonly moments: readonly Parameter[];
}

/**
 * @param model an inference graph of opset 18 or later whose weights are float32 initializers. Dropout stays the
 *   identity.
 * @throws ModelError that names the node without a gradient, or the output that the model lacks
 */
export function compileTraining(model: Model, spec: TrainingSpec): TrainingStep {
  if (model.opset < OLDEST_OPSET)
    throw new ModelError('unsupported', `opset ${model.opset} must be raised to ${OLDEST_OPSET} first`);
  const { graph } = model;
  const pixels = ['N', spec.channels, spec.height, spec.width];
  const shapes = inferShapes(
    graph,
    new Map([[spec.input, [{ perSample: 1 }, spec.channels, spec.height, spec.width]]]),
  );
  const parameters = parametersOf(graph, shapes);
  const { weights } = parameters;
  const frozen = spec.batchNorm === 'frozen';
  const moments = frozen ? [] : parameters.moments;
  const state = new Set([...weights.map((weight) => weight.name), ...moments]);
  const constants = new Map([...graph.initializers].filter(([name]) => !state.has(name)));

  // Batch statistics come before nodes that are still to come, and must not take their names.
  const names = graph.nodes.flatMap(({ outputs }) => outputs);
  const bare = { ...graph, inputs: [], outputs: [], nodes: [], initializers: constants };
  const b = new GraphBuilder(bare, names);
  b.input(spec.input, 'float32', pixels);
  for (const name of state) b.input(name, 'float32', graph.initializers.get(name)!.dims);

  const statistics = appendForward(b, graph, shapes, frozen);
  const seeds = appendLosses(b, spec, graph, shapes);
  const gradients = appendGradients(
    b,
    // Weights are not constant here, and rules must not take them for it.
    { ...graph, initializers: constants },
    shapes,
    seeds,
    weights.map((weight) => weight.name),
    rulesFor(graph, spec, statistics),
  );
  for (const weight of weights) {
    const gradient = gradients.get(weight.name);
    if (gradient === undefined) throw new ModelError('invalid', 'no loss depends on it', weight.name);
    b.output(gradient, 'float32', weight.dims, gradientOf(weight.name));
  }
  const step = b.build(`${graph.name}/step`);
  refuseDoubles(step);
  return {
    model: { ...modelOf(step), opset: model.opset },
    weights,
    moments: moments.map((name) => ({ name, dims: graph.initializers.get(name)!.dims })),
  };
}

/** Names of the spec meet names of the model in one graph. */
function refuseDoubles(graph: Graph): void {
  const seen = new Set<string>();
  for (const { name } of [...graph.inputs, ...graph.outputs]) {
    if (seen.has(name)) throw new ModelError('invalid', 'is the name of two inputs or outputs', name);
    seen.add(name);
  }
}

/** The model's nodes under their own names, BatchNormalization with the batch's moments unless they are frozen. */
function appendForward(
  b: GraphBuilder,
  graph: Graph,
  shapes: Shapes,
  frozen: boolean,
): ReadonlyMap<Node, Moments> {
  const statistics = new Map<Node, Moments>();
  for (const node of graph.nodes) {
    if (node.op === 'BatchNormalization' && !frozen) statistics.set(node, appendBatchNorm(b, node, shapes));
    else b.nodes(node.op, node.inputs, node.attributes, node.outputs, node.domain);
  }
  return statistics;
}

/** The gradient of the weighted sum of losses with respect to every output that a loss reads. */
function appendLosses(
  b: GraphBuilder,
  spec: TrainingSpec,
  graph: Graph,
  shapes: Shapes,
): ReadonlyMap<string, string> {
  const seeds = new Map<string, string>();
  for (const loss of spec.losses) {
    const info = shapes.get(loss.output);
    if (info === undefined)
      throw new ModelError('invalid', `"${graph.name}" has no such tensor`, loss.output);
    const seed = appendLoss(b, loss, info.dims);
    const known = seeds.get(loss.output);
    seeds.set(loss.output, known === undefined ? seed : b.node('Add', [known, seed]));
  }
  return seeds;
}

function rulesFor(
  graph: Graph,
  spec: TrainingSpec,
  statistics: ReadonlyMap<Node, Moments>,
): ReadonlyMap<string, Rule> {
  const readers = new Map<string, number>();
  const makers = new Map<string, string>();
  for (const node of graph.nodes) {
    for (const input of node.inputs) readers.set(input, (readers.get(input) ?? 0) + 1);
    for (const output of node.outputs) makers.set(output, node.op);
  }
  for (const { output } of spec.losses) readers.set(output, (readers.get(output) ?? 0) + 1);
  /** Whether a tensor comes from that operator and goes to one reader only, so that gradients meet nowhere else. */
  const only = (op: string) => (tensor: string) => makers.get(tensor) === op && readers.get(tensor) === 1;

  const pending: PendingFactors = new Map();
  const masked: Masked = new Set();
  return new Map([
    ...RULES,
    ['Conv', convolutionRule(pending)],
    [
      'BatchNormalization',
      spec.batchNorm === 'frozen' ? frozenNormRule : batchNormRule(statistics, pending, only('Conv')),
    ],
    ['MaxPool', maxPoolRule(masked, only('Relu'))],
    ['Relu', reluRule(masked)],
  ]);
}
