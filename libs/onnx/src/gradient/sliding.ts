/** How a convolution or a pool slides over its spatial axes, with `auto_pad` already turned into numbers. */
import type { GraphBuilder } from '../builder.js';
import type { RuleContext } from './rule.js';
import { pad, spread } from './tensors.js';

export interface Sliding {
  /** Sizes of the larger side, the one that windows are laid over, and the number of windows. */
  readonly sizes: readonly number[];
  readonly counts: readonly number[];
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly begin: readonly number[];
  readonly end: readonly number[];
}

/** Windows of size `kernel` over `over`, one for each spatial element of `windows`. */
export function slidingOf(c: RuleContext, over: string, windows: string, kernel: readonly number[]): Sliding {
  const ones = kernel.map(() => 1);
  const strides = c.ints('strides') ?? ones;
  const dilations = c.ints('dilations') ?? ones;
  const sizes = kernel.map((_, i) => c.size(over, i + 2));
  const counts = kernel.map((_, i) => c.size(windows, i + 2));
  const auto = c.text('auto_pad', 'NOTSET');
  const explicit = c.ints('pads') ?? [...ones, ...ones].map(() => 0);
  const pads = kernel.map((k, i): readonly [number, number] => {
    if (auto === 'VALID') return [0, 0];
    if (auto === 'NOTSET' && c.ints('output_shape') === undefined)
      return [explicit[i], explicit[i + kernel.length]];
    const extra = c.ints('output_padding')?.[i] ?? 0;
    const total = Math.max(0, (counts[i] - 1) * strides[i] + (k - 1) * dilations[i] + 1 + extra - sizes[i]);
    // A convolution puts the odd one where its name says; a transposed one with an output shape does too.
    const less = Math.floor(total / 2);
    return auto === 'SAME_UPPER' ? [less, total - less] : [total - less, less];
  });
  const [begin, end] = [pads.map(([first]) => first), pads.map(([, last]) => last)];
  return { sizes, counts, kernel, strides, dilations, begin, end };
}

/** Elements behind the last window that no window reaches. */
export const overhang = (s: Sliding, axis: number): number =>
  s.sizes[axis] -
  ((s.counts[axis] - 1) * s.strides[axis] -
    s.begin[axis] -
    s.end[axis] +
    s.dilations[axis] * (s.kernel[axis] - 1) +
    1);

/**
 * The output's gradient at stride 1, zeros between its elements where windows are strided, and the padding with
 * which a window sum over it has one value per element that the windows were laid over.
 */
export function aligned(
  b: GraphBuilder,
  gradient: string,
  s: Sliding,
): { gradient: string; pads: readonly number[] } {
  const reach = s.kernel.map((k, i) => s.dilations[i] * (k - 1));
  const begin = reach.map((r, i) => r - s.begin[i]);
  const end = begin.map((first, i) => s.sizes[i] + reach[i] - s.counts[i] * s.strides[i] - first);
  const crop = (counts: readonly number[]): number[] => [0, 0, ...counts.map((n) => Math.min(n, 0))];
  return {
    gradient: pad(b, spread(b, gradient, s.counts, s.strides), crop(begin), crop(end)),
    pads: [...begin, ...end].map((n) => Math.max(n, 0)),
  };
}
