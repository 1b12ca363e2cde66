/**
 * Gradients of a convolution with respect to its input, weight and bias, where the weight changes from step to
 * step. The weight's gradient is one matrix product per tap of the kernel, over channel-major matrices: that is
 * where a CPU multiplies fastest.
 */
import { convInputGradient } from '../gradient/convolution.js';
import type { Rule, RuleContext } from '../gradient/rule.js';
import { slidingOf } from '../gradient/sliding.js';
import { pad, range } from '../gradient/tensors.js';

/** Gradients that still lack a factor per channel [C], which the convolution before applies to its weights. */
export type PendingFactors = Map<string, string>;

/** Below so many channels a tap's matrix is too narrow to be multiplied fast, so all taps are stacked into one. */
const NARROW = 16;

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

/** [O, I / groups, ...kernel]: the sum over n and places p of g[n, o, p] x[n, i, p stride + tap dilation - pad]. */
function weightGradient(c: RuleContext): string {
  const b = c.builder;
  const [x, w] = c.inputs;
  const [outChannels, depth, ...kernel] = c.dims(w).map((_, i) => c.size(w, i));
  const groups = c.int('group', 1);
  const s = slidingOf(c, x, c.output, kernel);
  const last = kernel.length + 1;
  // [channels, ...all spatial axes but the last, N, the last]: cutting a tap out copies long runs.
  const perm = [1, ...range(last - 2).map((i) => i + 2), 0, last];
  const channelMajor = (tensor: string): string => b.node('Transpose', [tensor], { perm });
  const matrix = (tensor: string, rows: number): string =>
    b.node('Reshape', [tensor, b.i64(groups === 1 ? [rows, -1] : [groups, rows / groups, -1])]);
  const cut = (tensor: string, tap: number, i: number): string => {
    const from = tap * s.dilations[i];
    const to = from + (s.counts[i] - 1) * s.strides[i] + 1;
    const axis = perm.indexOf(i + 2);
    return b.node('Slice', [tensor, ...[from, to, axis, s.strides[i]].map((n) => b.i64([n]))]);
  };

  const left = matrix(channelMajor(c.gradient), outChannels);
  let seen = [channelMajor(pad(b, x, [0, 0, ...s.begin], [0, 0, ...s.end]))];
  // The last axis is cut first and its taps run fastest in the kernel.
  for (let i = kernel.length - 1; i >= 0; i--)
    seen = range(kernel[i]).flatMap((tap) => seen.map((part) => cut(part, tap, i)));
  if (groups === 1 && depth < NARROW) {
    const all = b.node('Gemm', [left, matrix(b.node('Concat', seen, { axis: 0 }), depth * seen.length)], {
      transB: 1,
    });
    const apart = b.node('Reshape', [all, b.i64([outChannels, seen.length, depth])]);
    return b.node('Reshape', [
      b.node('Transpose', [apart], { perm: [0, 2, 1] }),
      b.i64([outChannels, depth, ...kernel]),
    ]);
  }
  const products = seen.map((part) => {
    const right = matrix(part, groups * depth);
    const product =
      groups === 1
        ? b.node('Gemm', [left, right], { transB: 1 })
        : b.node('MatMul', [left, b.node('Transpose', [right], { perm: [0, 2, 1] })]);
    return b.node('Reshape', [product, b.i64([outChannels, depth, 1])]);
  });
  const taps = products.length === 1 ? products[0] : b.node('Concat', products, { axis: 2 });
  return b.node('Reshape', [taps, b.i64([outChannels, depth, ...kernel])]);
}
