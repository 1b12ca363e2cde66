/**
 * Gradients of a convolution with respect to its input, weight and bias, where the weight changes from step to
 * step. The weight's gradient is a matrix product per row of the kernel, over matrices whose rows are channels: that is
 * where a CPU multiplies fastest.
 */
import type { GraphBuilder } from '../builder.js';
import { convInputGradient } from '../gradient/convolution.js';
import type { Rule, RuleContext } from '../gradient/rule.js';
import { type Sliding, slidingOf } from '../gradient/sliding.js';
import { pad, product, range } from '../gradient/tensors.js';

/** Gradients that still lack a factor per channel [C], which the convolution before applies to its weights. */
export type PendingFactors = Map<string, string>;

/** Below so many channels a tap's matrix is too narrow to be multiplied fast, so all taps are stacked into one. */
const NARROW = 16;
/** From so many places on a sample's own matrices are long enough to be multiplied as they lie. */
const LARGE = 1024;

export const convolutionRule =
  (pending: PendingFactors): Rule =>
  (c) => {
    const b = c.builder;
    const [, w] = c.inputs;
    const axes = range(c.dims(w).length).slice(1);
    const factor = pending.get(c.output);
    const column = factor === undefined ? undefined : b.node('Unsqueeze', [factor, b.i64(axes)]);
    const scaled = (tensor: string): string => (column ? b.node('Mul', [tensor, column]) : tensor);
    const biasGradient = (): string => {
      const sum = b.node('ReduceSum', [c.gradient, b.i64([0, ...axes.slice(1)])], { keepdims: 0 });
      return factor ? b.node('Mul', [sum, factor]) : sum;
    };
    return [
      c.wanted[0] ? convInputGradient(c, scaled(w)) : undefined,
      c.wanted[1] ? scaled(weightGradient(c)) : undefined,
      c.wanted[2] ? biasGradient() : undefined,
    ];
  };

/**
 * [O, I / groups, ...kernel]: the sum over n and places p of g[n, o, p] x[n, i, p stride + tap dilation - pad].
 * Tensors lie as [channels, ...leading axes, N, last axis], those of large maps as they are, sample by sample. Along the last
 * axis x is padded and cut per tap; along the others both are cut to the places where the tap meets data, which copies long
 * runs and multiplies no zeros. Taps along the last axis, or all taps of narrow inputs, are one matrix.
 */
function weightGradient(c: RuleContext): string {
  const b = c.builder;
  const [x, w] = c.inputs;
  const [outChannels, depth, ...kernel] = c.dims(w).map((_, i) => c.size(w, i));
  const groups = c.int('group', 1);
  const s = slidingOf(c, x, c.output, kernel);
  const last = kernel.length - 1;
  const bySample = groups === 1 && product(s.counts) >= LARGE;
  const axes = range(last + 3);
  const perm = bySample ? axes : [1, ...axes.slice(2, -1), 0, last + 2];
  const laid = (tensor: string): string => (bySample ? tensor : b.node('Transpose', [tensor], { perm }));
  const channels = perm.indexOf(1);

  const stackedAt = groups > 1 ? -1 : depth < NARROW ? 0 : last;
  let pairs: readonly Pair[] = [{ x: laid(x), g: laid(c.gradient) }];
  // The last axis is cut first, and its taps run fastest in the kernel.
  for (let i = last; i >= 0; i--) {
    const crops = i < last && stackedAt !== 0 && range(kernel[i]).every((tap) => isMet(meeting(s, i, tap)));
    const cut = crops ? cropped(b, s, i, perm) : padded(b, s, i, perm);
    pairs = range(kernel[i]).flatMap((tap) => pairs.map((pair) => cut(pair, tap)));
    if (i === stackedAt && pairs.length > 1) pairs = [stack(b, pairs, channels)];
  }
  return groups > 1
    ? tapByTap(b, pairs, groups, [outChannels, depth, ...kernel])
    : rowByRow(b, pairs, bySample, [outChannels, depth, ...kernel]);
}

/** One pair for several with the same gradient: their inputs' channels behind each other. */
const stack = (b: GraphBuilder, pairs: readonly Pair[], axis: number): Pair => ({
  x: b.node(
    'Concat',
    pairs.map((pair) => pair.x),
    { axis },
  ),
  g: pairs[0].g,
});

/** A product per row of stacked taps; the gradient's matrix, which is packed for it, serves the whole row. */
function rowByRow(
  b: GraphBuilder,
  pairs: readonly Pair[],
  bySample: boolean,
  [outChannels, depth, ...kernel]: readonly number[],
): string {
  const rows = (product(kernel) * depth) / pairs.length;
  const matrix = (tensor: string, height: number): string =>
    b.node('Reshape', [tensor, b.i64(bySample ? [0, height, -1] : [height, -1])]);
  const products = pairs.map((pair) => {
    const [left, right] = [matrix(pair.x, rows), matrix(pair.g, outChannels)];
    if (!bySample) return b.node('Gemm', [left, right], { transB: 1 });
    // The runtime makes one operator of the two.
    const each = b.node('MatMul', [left, b.node('Transpose', [right], { perm: [0, 2, 1] })]);
    return b.node('ReduceSum', [each, b.i64([0])], { keepdims: 0 });
  });
  const all = products.length === 1 ? products[0] : b.node('Concat', products, { axis: 0 });
  const apart = b.node('Reshape', [all, b.i64([...kernel, depth, outChannels])]);
  const last = kernel.length - 1;
  return b.node('Transpose', [apart], { perm: [last + 2, last + 1, ...range(last + 1)] });
}

function tapByTap(
  b: GraphBuilder,
  pairs: readonly Pair[],
  groups: number,
  [outChannels, depth, ...kernel]: readonly number[],
): string {
  const matrix = (tensor: string, rows: number): string =>
    b.node('Reshape', [tensor, b.i64([groups, rows / groups, -1])]);
  const products = pairs.map((pair) => {
    const [left, right] = [matrix(pair.g, outChannels), matrix(pair.x, groups * depth)];
    const each = b.node('MatMul', [left, b.node('Transpose', [right], { perm: [0, 2, 1] })]);
    return b.node('Reshape', [each, b.i64([outChannels, depth, 1])]);
  });
  const taps = products.length === 1 ? products[0] : b.node('Concat', products, { axis: 2 });
  return b.node('Reshape', [taps, b.i64([outChannels, depth, ...kernel])]);
}

/** What a tap of the kernel multiplies: elements of the input, and of the output's gradient. */
interface Pair {
  readonly x: string;
  readonly g: string;
}

type Cut = (pair: Pair, tap: number) => Pair;

/** All windows along axis i; where they leave the data x has zeros. */
function padded(b: GraphBuilder, s: Sliding, i: number, perm: readonly number[]): Cut {
  const axis = perm.indexOf(i + 2);
  const none = perm.map(() => 0);
  return ({ x, g }, tap) => {
    const first = tap * s.dilations[i] - s.begin[i];
    const length = (s.counts[i] - 1) * s.strides[i] + 1;
    const whole = pad(b, x, none.with(axis, -first), none.with(axis, first + length - s.sizes[i]));
    return { x: slice(b, whole, axis, [0, length, s.strides[i]], length), g };
  };
}

/** Only the windows in which the tap meets data. */
function cropped(b: GraphBuilder, s: Sliding, i: number, perm: readonly number[]): Cut {
  const axis = perm.indexOf(i + 2);
  const known = new Map<string, string>();
  return ({ x, g }, tap) => {
    const [from, to] = meeting(s, i, tap);
    const first = from * s.strides[i] + tap * s.dilations[i] - s.begin[i];
    const end = first + (to - from - 1) * s.strides[i] + 1;
    const key = `${g} ${from} ${to}`;
    const gradient = known.get(key) ?? slice(b, g, axis, [from, to, 1], s.counts[i]);
    known.set(key, gradient);
    return { x: slice(b, x, axis, [first, end, s.strides[i]], s.sizes[i]), g: gradient };
  };
}

/** The windows along axis i, from and to, in which a tap of the kernel lies on data. */
function meeting(s: Sliding, i: number, tap: number): readonly [number, number] {
  const offset = tap * s.dilations[i] - s.begin[i];
  const from = Math.max(0, Math.ceil(-offset / s.strides[i]));
  const to = Math.min(s.counts[i], Math.floor((s.sizes[i] - 1 - offset) / s.strides[i]) + 1);
  return [from, to];
}

const isMet = ([from, to]: readonly [number, number]): boolean => from < to;

function slice(
  b: GraphBuilder,
  tensor: string,
  axis: number,
  [from, to, step]: readonly [number, number, number],
  size: number,
): string {
  if (from === 0 && to === size && step === 1) return tensor;
  return b.node('Slice', [tensor, ...[from, to, axis, step].map((n) => b.i64([n]))]);
}
