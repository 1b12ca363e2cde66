/**
 * Masked losses and their gradients with respect to the model's outputs, written by hand: what starts the
 * backward pass. A loss is the mean over the samples whose mask is 1, and 0 where there are none.
 */
import type { GraphBuilder } from '../builder.js';
import { ModelError } from '../errors.js';
import type { Dim } from '../graph.js';
import { type LossKind, type LossSpec, lossOf } from './spec.js';

interface Compared {
  /** Loss of each sample, float32 [N]. */
  readonly perSample: string;
  /** Gradient of each sample's loss, of the output's shape. */
  readonly gradient: string;
}

type Loss = (
  b: GraphBuilder,
  output: string,
  target: string,
  dims: readonly number[],
  spec: LossSpec,
) => Compared;

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

/** Stands for minus infinity where classes are left out of a sum of exponentials. */
const LEFT_OUT = -1e30;

const groupCrossEntropy: Loss = (b, output, target, [classes], { live = [] }) => {
  const among = (side: boolean): string =>
    b.node('Add', [
      output,
      b.constant({
        type: 'float32',
        dims: [1, classes],
        data: Float32Array.from({ length: classes }, (_, k) => (live.includes(k) === side ? 0 : LEFT_OUT)),
      }),
    ]);
  const [alive, spoof] = [among(true), among(false)];
  const total = (masked: string): string => b.node('ReduceLogSumExp', [masked, b.i64([1])], { keepdims: 0 });
  const share = (masked: string): string => b.node('Softmax', [masked], { axis: 1 });
  const margin = b.node('Sub', [total(spoof), total(alive)]);
  const wanted = b.node('Cast', [target], { to: 1 });
  const off = b.node('Sub', [b.node('Sigmoid', [margin]), wanted]);
  return {
    perSample: b.node('Sub', [b.node('Softplus', [margin]), b.node('Mul', [wanted, margin])]),
    gradient: b.node('Mul', [
      b.node('Unsqueeze', [off, b.i64([1])]),
      b.node('Sub', [share(spoof), share(alive)]),
    ]),
  };
};

const LOSSES = {
  'cross-entropy': { loss: crossEntropy, rank: 2 },
  'binary-cross-entropy': { loss: binaryCrossEntropy, rank: undefined },
  'mean-squared-error': { loss: meanSquaredError, rank: undefined },
  'group-cross-entropy': { loss: groupCrossEntropy, rank: 2 },
} as const satisfies Partial<Record<LossKind, { loss: Loss; rank: number | undefined }>>;

/** Losses whose targets are class indices or places. */
const INDEXED: ReadonlySet<LossKind> = new Set(['cross-entropy', 'group-cross-entropy', 'consistency']);

const zeroOne = { type: 'float32', dims: [2], data: Float32Array.of(0, 1) } as const;

/**
 * Appends one loss with its inputs and its output `loss/<name>`.
 * @returns the gradient of weight times loss with respect to the model's output.
 */
export function appendLoss(b: GraphBuilder, spec: LossSpec, dims: readonly Dim[]): string {
  const rank = spec.kind === 'consistency' ? 2 : LOSSES[spec.kind].rank;
  const [batch, ...rest] = dims;
  const fixed = rest.filter((dim): dim is number => typeof dim === 'number');
  if (typeof batch === 'number' || batch?.perSample !== 1 || fixed.length < rest.length)
    throw new ModelError('unsupported', 'must have the batch as its first axis and no other', spec.output);
  if (rank !== undefined && dims.length !== rank)
    throw new ModelError('unsupported', `must be [N, classes] for ${spec.kind}`, spec.output);

  const target = INDEXED.has(spec.kind)
    ? b.input(spec.target, 'int64', ['N'])
    : b.input(spec.target, 'float32', ['N', ...fixed]);
  const mask = b.input(spec.mask, 'float32', ['N']);

  const counted = b.node('ReduceSum', [mask], { keepdims: 0 });
  const share = b.node('Div', [mask, b.node('Max', [counted, b.f32(1)])]);
  const weights = b.node('Unsqueeze', [share, b.i64(fixed.map((_, i) => i + 1))]);
  const column = b.node('Mul', [weights, b.f32(spec.weight)]);
  const { perSample, gradient } =
    spec.kind === 'consistency'
      ? consistency(b, spec.output, target, column)
      : weighed(b, LOSSES[spec.kind].loss(b, spec.output, target, fixed, spec), column);
  const mean = b.node('ReduceSum', [b.node('Mul', [perSample, share])], { keepdims: 0 });
  b.output(mean, 'float32', [], lossOf(spec.name));
  return gradient;
}

const weighed = (b: GraphBuilder, { perSample, gradient }: Compared, column: string): Compared => ({
  perSample,
  gradient: b.node('Mul', [gradient, column]),
});

/**
 * With p the partner's softmax and q the sample's own: KL(p | q) = sum p (log p - log q), whose gradient is q - p in the
 * sample's logits and p (log p - log q - KL) in the partner's, which is added to the partner's row.
 */
function consistency(b: GraphBuilder, output: string, partner: string, column: string): Compared {
  const logs = b.node('LogSoftmax', [output], { axis: 1 });
  const others = b.node('Gather', [logs, partner], { axis: 0 });
  const p = b.node('Exp', [others]);
  const ratio = b.node('Sub', [others, logs]);
  const perRow = b.node('ReduceSum', [b.node('Mul', [p, ratio]), b.i64([1])], { keepdims: 1 });
  const own = b.node('Mul', [b.node('Sub', [b.node('Exp', [logs]), p]), column]);
  const theirs = b.node('Mul', [b.node('Mul', [p, b.node('Sub', [ratio, perRow])]), column]);
  const shape = b.node('Shape', [output]);
  const zeros = b.node('Expand', [b.f32(0), shape]);
  const rows = b.node('Expand', [b.node('Unsqueeze', [partner, b.i64([1])]), shape]);
  const back = b.node('ScatterElements', [zeros, rows, theirs], { axis: 0, reduction: 'add' });
  return {
    perSample: b.node('Squeeze', [perRow, b.i64([1])]),
    gradient: b.node('Add', [own, back]),
  };
}
