/**
 * Masked losses and their gradients with respect to the model's outputs, written by hand: what starts the
 * backward pass. A loss is the mean over the samples whose mask is 1, and 0 where there are none.
 */
import type { GraphBuilder } from '../builder.js';
import { ModelError } from '../errors.js';
import type { Dim } from '../graph.js';
import { type LossSpec, lossOf } from './spec.js';

interface Compared {
  /** Loss of each sample, float32 [N]. */
  readonly perSample: string;
  /** Gradient of each sample's loss, of the output's shape. */
  readonly gradient: string;
}

type Loss = (b: GraphBuilder, output: string, target: string, dims: readonly number[]) => Compared;

const crossEntropy: Loss = (b, output, target, [classes]) => {
  const logs = b.node('LogSoftmax', [output], { axis: 1 });
  const oneHot = b.node('OneHot', [target, b.i64([classes]), b.constant(zeroOne)]);
  const likelihood = b.node('ReduceSum', [b.node('Mul', [oneHot, logs]), b.i64([1])], { keepdims: 0 });
  return {
    perSample: b.node('Neg', [likelihood]),
    gradient: b.node('Sub', [b.node('Exp', [logs]), oneHot]),
  };
};

const axesOf = (b: GraphBuilder, dims: readonly number[]): string => b.i64(dims.map((_, i) => i + 1));
const sizeOf = (dims: readonly number[]): number => dims.reduce((a, n) => a * n, 1);

const binaryCrossEntropy: Loss = (b, output, target, dims) => {
  const each = b.node('Sub', [b.node('Softplus', [output]), b.node('Mul', [output, target])]);
  const difference = b.node('Sub', [b.node('Sigmoid', [output]), target]);
  return {
    perSample: b.node('ReduceMean', [each, axesOf(b, dims)], { keepdims: 0 }),
    gradient: b.node('Mul', [difference, b.f32(1 / sizeOf(dims))]),
  };
};

const meanSquaredError: Loss = (b, output, target, dims) => {
  const difference = b.node('Sub', [output, target]);
  const squares = b.node('Mul', [difference, difference]);
  return {
    perSample: b.node('ReduceMean', [squares, axesOf(b, dims)], { keepdims: 0 }),
    gradient: b.node('Mul', [difference, b.f32(2 / sizeOf(dims))]),
  };
};

const LOSSES = {
  'cross-entropy': { loss: crossEntropy, rank: 2 },
  'binary-cross-entropy': { loss: binaryCrossEntropy, rank: undefined },
  'mean-squared-error': { loss: meanSquaredError, rank: undefined },
} as const;

const zeroOne = { type: 'float32', dims: [2], data: Float32Array.of(0, 1) } as const;

/**
 * Appends one loss with its inputs and its output `loss/<name>`.
 * @returns the gradient of weight times loss with respect to the model's output.
 */
export function appendLoss(b: GraphBuilder, spec: LossSpec, dims: readonly Dim[]): string {
  const { loss, rank } = LOSSES[spec.kind];
  const [batch, ...rest] = dims;
  const fixed = rest.filter((dim): dim is number => typeof dim === 'number');
  if (typeof batch === 'number' || batch?.perSample !== 1 || fixed.length < rest.length)
    throw new ModelError('unsupported', 'must have the batch as its first axis and no other', spec.output);
  if (rank !== undefined && dims.length !== rank)
    throw new ModelError('unsupported', `must be [N, classes] for ${spec.kind}`, spec.output);

  const target =
    spec.kind === 'cross-entropy'
      ? b.input(spec.target, 'int64', ['N'])
      : b.input(spec.target, 'float32', ['N', ...fixed]);
  const mask = b.input(spec.mask, 'float32', ['N']);
  const { perSample, gradient } = loss(b, spec.output, target, fixed);

  const counted = b.node('ReduceSum', [mask], { keepdims: 0 });
  const share = b.node('Div', [mask, b.node('Max', [counted, b.f32(1)])]);
  const mean = b.node('ReduceSum', [b.node('Mul', [perSample, share])], { keepdims: 0 });
  b.output(mean, 'float32', [], lossOf(spec.name));

  const column = b.node('Unsqueeze', [share, b.i64(fixed.map((_, i) => i + 1))]);
  return b.node('Mul', [gradient, b.node('Mul', [column, b.f32(spec.weight)])]);
}
