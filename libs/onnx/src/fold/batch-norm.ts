/**
 * BatchNormalization with fixed statistics is a factor and a shift per channel; behind a linear node both move
 * into its weight and bias, in float64. That saves a pass over the activations forward and another backward.
 */
import { GraphBuilder, tensorF32 } from '../builder.js';
import { consumers, producers } from '../graph-tools/walk.js';
import type { Graph, Node, Shapes, Tensor } from '../graph.js';

interface Affine {
  readonly factor: Float64Array;
  readonly shift: Float64Array;
}

/** A linear node's constants after the fold. */
interface Folded {
  readonly op: string;
  readonly weight: Tensor;
  readonly bias: Tensor;
}

type Constants = Graph['initializers'];

function floats(constants: Constants, name: string | undefined): Float32Array | undefined {
  const data = name === undefined ? undefined : constants.get(name)?.data;
  return data instanceof Float32Array ? data : undefined;
}

function number(node: Node, name: string, otherwise: number): number {
  const given = node.attributes[name];
  return given?.kind === 'float' || given?.kind === 'int' ? Number(given.value) : otherwise;
}

function affineOf(node: Node, constants: Constants): Affine | undefined {
  const [scale, offset, mean, variance] = [1, 2, 3, 4].map((index) => floats(constants, node.inputs[index]));
  if (!scale || !offset || !mean || !variance || number(node, 'training_mode', 0) !== 0) return undefined;
  const epsilon = number(node, 'epsilon', 1e-5);
  const factor = Float64Array.from(scale, (gamma, c) => gamma / Math.sqrt(variance[c] + epsilon));
  const shift = Float64Array.from(offset, (beta, c) => beta - mean[c] * factor[c]);
  return factor.every(Number.isFinite) && shift.every(Number.isFinite) ? { factor, shift } : undefined;
}

/** `weight` with every element multiplied by the factor of its output channel. */
function scaled(weight: Tensor, factor: Float64Array, channelOf: (index: number) => number): Tensor {
  return tensorF32(
    weight.dims,
    Float32Array.from(weight.data as Float32Array, (w, index) => w * factor[channelOf(index)]),
  );
}

/** Which output channel an element of the weight belongs to. */
function channels(node: Node, dims: readonly number[]): (index: number) => number {
  const inner = dims.slice(2).reduce((total, dim) => total * dim, 1);
  switch (node.op) {
    case 'Conv':
      return (index) => Math.floor(index / (dims[1] * inner));
    case 'ConvTranspose': {
      // [input channels, output channels of a group, ...]: the input channel says which group.
      const perGroup = dims[0] / number(node, 'group', 1);
      return (index) =>
        Math.floor(index / (dims[1] * inner * perGroup)) * dims[1] + (Math.floor(index / inner) % dims[1]);
    }
    default:
      return number(node, 'transB', 0) !== 0
        ? (index) => Math.floor(index / dims[1])
        : (index) => index % dims[1];
  }
}

const LINEAR: ReadonlySet<string> = new Set(['Conv', 'ConvTranspose', 'Gemm', 'MatMul']);

function folded(node: Node, { factor, shift }: Affine, constants: Constants): Folded | undefined {
  const weight = constants.get(node.inputs[1]);
  const hasBias = (node.inputs[2] ?? '') !== '';
  const bias = hasBias ? floats(constants, node.inputs[2]) : new Float32Array(factor.length);
  if (weight?.type !== 'float32' || bias === undefined) return undefined;
  // A Gemm may broadcast its addend; only one number per channel moves into the shift.
  if (bias.length !== factor.length || (node.op === 'MatMul' && weight.dims.length !== 2)) return undefined;
  const beta = node.op === 'Gemm' ? number(node, 'beta', 1) : 1;
  return {
    op: node.op === 'MatMul' ? 'Gemm' : node.op,
    weight: scaled(weight, factor, channels(node, weight.dims)),
    bias: tensorF32(
      [shift.length],
      Float32Array.from(shift, (s, c) => s + beta * bias[c] * factor[c]),
    ),
  };
}

/** A Gemm's addend of one number per row has as many elements as one per column only by accident. */
function addsPerColumn(node: Node, graph: Graph): boolean {
  const dims = graph.initializers.get(node.inputs[2] ?? '')?.dims;
  return node.op !== 'Gemm' || dims === undefined || dims.length === 1 || dims[0] === 1;
}

/** @param pinned tensors that must survive; a linear node that gives one out keeps its weights. */
export function foldBatchNorms(graph: Graph, shapes: Shapes, pinned: ReadonlySet<string>): Graph {
  const made = producers(graph);
  const readers = consumers(graph);
  const builder = new GraphBuilder(graph);
  const replaced = new Map<Node, Node | undefined>();
  for (const norm of graph.nodes) {
    if (norm.op !== 'BatchNormalization' || norm.outputs.slice(1).some((name) => name !== '')) continue;
    const [between] = norm.inputs;
    const linear = made.get(between);
    if (!linear || !LINEAR.has(linear.op) || replaced.has(linear) || !addsPerColumn(linear, graph)) continue;
    if (pinned.has(between) || readers.get(between)?.length !== 1) continue;
    if (linear.op === 'MatMul' && shapes.get(linear.inputs[0])?.dims.length !== 2) continue;
    const affine = affineOf(norm, graph.initializers);
    const result = affine && folded(linear, affine, graph.initializers);
    if (result === undefined) continue;
    replaced.set(norm, undefined);
    replaced.set(linear, {
      ...linear,
      op: result.op,
      inputs: [
        linear.inputs[0],
        builder.initializer(`${linear.inputs[1]}/folded`, result.weight),
        builder.initializer(`${linear.inputs[1]}/shift`, result.bias),
      ],
      outputs: norm.outputs.slice(0, 1),
      attributes: Object.fromEntries(Object.entries(linear.attributes).filter(([name]) => name !== 'beta')),
    });
  }
  return {
    ...graph,
    nodes: graph.nodes.flatMap((node) => (replaced.has(node) ? (replaced.get(node) ?? []) : [node])),
    initializers: builder.build(graph.name).initializers,
  };
}
