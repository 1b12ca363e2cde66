/** The gradient of AveragePool: each window spreads its gradient, over its count, back onto its elements. */
import { tensorF32 } from '../builder.js';
import type { Rule, RuleContext } from './rule.js';
import { aligned, slidingOf, type Sliding } from './sliding.js';
import { pad, product, repeat, scale } from './tensors.js';

/** What each window divides by, along one axis: its elements inside the data, or inside data and padding. */
function elementsPerWindow(s: Sliding, axis: number, withPadding: boolean): number[] {
  const first = withPadding ? -s.begin[axis] : 0;
  const last = s.sizes[axis] + (withPadding ? s.end[axis] : 0);
  return Array.from({ length: s.counts[axis] }, (_, window) => {
    const from = window * s.strides[axis] - s.begin[axis];
    return Math.max(1, Math.min(from + s.kernel[axis], last) - Math.max(from, first));
  });
}

/** The gradient times `factor`, over each window's count. */
function perElement(c: RuleContext, s: Sliding, factor: number): string {
  const counts = s.kernel.map((_, axis) => elementsPerWindow(s, axis, c.int('count_include_pad', 0) === 1));
  if (counts.every((list) => list.every((count) => count === list[0])))
    return scale(c.builder, c.gradient, factor / product(counts.map((list) => list[0])));
  const map = counts.reduce<number[]>((all, list) => all.flatMap((a) => list.map((b) => a * b)), [1]);
  const factors = tensorF32(
    [1, 1, ...s.counts],
    Float32Array.from(map, (count) => factor / count),
  );
  return c.emit('Mul', [c.gradient, c.builder.constant(factors)]);
}

const averagePool: Rule = (c) => {
  const b = c.builder;
  const kernel = c.ints('kernel_shape') ?? c.refuse('it has no kernel_shape');
  const s = slidingOf(c, c.inputs[0], c.output, kernel);
  if (s.dilations.some((d) => d !== 1)) c.refuse('its windows are dilated');
  const rest = s.sizes.map((size, i) => size - s.counts[i] * s.kernel[i]);
  const sideBySide = kernel.every((k, i) => k === s.strides[i] && s.begin[i] === 0 && rest[i] >= 0);
  if (sideBySide)
    return [pad(b, repeat(b, perElement(c, s, 1), kernel), [0, 0, ...rest.map(() => 0)], [0, 0, ...rest])];
  // A sum over windows at stride 1 is an average that counts its padding, times the size of the window.
  const { gradient, pads } = aligned(b, perElement(c, s, product(kernel)), s);
  return [c.emit('AveragePool', [gradient], { kernel_shape: kernel, pads, count_include_pad: 1 })];
};

export const AVERAGE_POOL_RULES: Readonly<Record<string, Rule>> = { AveragePool: averagePool };
