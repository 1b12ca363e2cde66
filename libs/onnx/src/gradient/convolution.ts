/**
 * Gradients of convolutions with respect to their input. At stride 1 that is a convolution of the output's
 * gradient with the kernel turned around and its channels exchanged, which runs on the same fast kernels as the
 * forward pass; with strides it is a transposed convolution. The turned weights are prepared once, as
 * initializers: the runtime blocks channels only for weights that it knows beforehand.
 */
import { tensorF32, type GraphBuilder } from '../builder.js';
import type { Tensor } from '../graph.js';
import { planesOf } from './planes.js';
import type { Rule, RuleContext } from './rule.js';
import { aligned, overhang, slidingOf, type Sliding } from './sliding.js';
import { pad, product, reshape } from './tensors.js';

/** From this kernel size on a strided depthwise convolution is differentiated by spreading its gradient. */
const SPREAD_FROM_KERNEL = 5;

/** W [O, I/g, ...k] -> W' [I, O/g, ...k], W'[i, o, x] = W[o, i, k - 1 - x] within each group. */
export function turnedKernel(weight: Tensor, groups: number): Tensor {
  const [filters, depth, ...kernel] = weight.dims;
  const perGroup = filters / groups;
  const taps = product(kernel);
  const from = weight.data as Float32Array;
  const to = new Float32Array(from.length);
  let at = 0;
  for (let i = 0; i < groups * depth; i++) {
    const group = Math.floor(i / depth);
    for (let o = 0; o < perGroup; o++) {
      const base = ((group * perGroup + o) * depth + (i % depth)) * taps;
      for (let x = taps - 1; x >= 0; x--) to[at++] = from[base + x];
    }
  }
  return tensorF32([groups * depth, perGroup, ...kernel], to);
}

/** The same for weights that are not known before running, as in training. */
function turnKernel(b: GraphBuilder, weight: string, dims: readonly number[], groups: number): string {
  const [filters, depth, ...kernel] = dims;
  const spatial = kernel.map((_, i) => i + 2);
  const reversed = b.node('Slice', [
    weight,
    b.i64(kernel.map(() => -1)),
    b.i64(kernel.map((k) => -k - 1)),
    b.i64(spatial),
    b.i64(kernel.map(() => -1)),
  ]);
  const grouped = reshape(b, reversed, dims, [groups, filters / groups, depth, ...kernel]);
  const perm = [0, 2, 1, ...spatial.map((axis) => axis + 1)];
  const exchanged = b.node('Transpose', [grouped], { perm });
  return b.node('Reshape', [exchanged, b.i64([groups * depth, filters / groups, ...kernel])]);
}

/**
 * A transposed convolution of the gradient's planes, at twice the strides, summed. Undefined where the gradient is not
 * known in planes, or a plane would begin outside.
 */
function planewise(c: RuleContext, weight: string, s: Sliding): string | undefined {
  const planes = planesOf(c.builder, c.gradient);
  const strides = s.strides.map((stride) => 2 * stride);
  const starts = (axis: number, parity: number): number => s.begin[axis] - s.strides[axis] * parity;
  if (planes === undefined || c.int('group', 1) !== 1 || starts(0, 1) < 0 || starts(1, 1) < 0)
    return undefined;
  const parts = planes.flatMap((columns, row) =>
    columns.map((plane, column) => {
      const begin = [starts(0, row), starts(1, column)];
      const over = begin.map(
        (first, i) =>
          (s.counts[i] / 2 - 1) * strides[i] + s.dilations[i] * (s.kernel[i] - 1) + 1 - first - s.sizes[i],
      );
      return c.emit('ConvTranspose', [plane, weight], {
        kernel_shape: s.kernel,
        strides,
        dilations: s.dilations,
        pads: [...begin, ...over.map((n) => Math.max(n, 0))],
        output_padding: over.map((n) => Math.max(-n, 0)),
      });
    }),
  );
  return c.emit('Sum', parts);
}

/** The gradient of a convolution's input, given that of its output; `weight` stands for the node's own. */
export function convInputGradient(c: RuleContext, weight = c.inputs[1]): string {
  const b = c.builder;
  const [x, own] = c.inputs;
  const dims = c.dims(own).map((_, i) => c.size(own, i));
  const groups = c.int('group', 1);
  const sliding = slidingOf(c, x, c.output, dims.slice(2));
  const depthwise = dims[1] === 1 && groups === dims[0];
  const spreads = depthwise && Math.min(...sliding.kernel) >= SPREAD_FROM_KERNEL;
  const fitting = sliding.strides.every((s, i) => overhang(sliding, i) < Math.max(s, sliding.dilations[i]));
  if (sliding.strides.some((s) => s > 1) && !spreads && fitting)
    return (
      planewise(c, weight, sliding) ??
      b.node('ConvTranspose', [c.gradient, weight], {
        group: groups,
        kernel_shape: sliding.kernel,
        strides: sliding.strides,
        dilations: sliding.dilations,
        pads: [...sliding.begin, ...sliding.end],
        output_padding: sliding.strides.map((_, i) => overhang(sliding, i)),
      })
    );
  const known = c.constant(weight);
  const turned = known
    ? b.initializer(`${weight}/turned`, turnedKernel(known, groups))
    : turnKernel(b, weight, dims, groups);
  const { gradient, pads } = aligned(b, c.gradient, sliding);
  return b.node('Conv', [gradient, turned], {
    group: groups,
    kernel_shape: sliding.kernel,
    dilations: sliding.dilations,
    pads,
  });
}

const conv: Rule = (c) => {
  if (c.wanted[1] || c.wanted[2]) c.refuse('its weights must not depend on what is differentiated');
  return [convInputGradient(c)];
};

/** A transposed convolution is the adjoint of a convolution with the same weights, so it turns back into it. */
const convTranspose: Rule = (c) => {
  if (c.wanted[1] || c.wanted[2]) c.refuse('its weights must not depend on what is differentiated');
  const [x, weight] = c.inputs;
  const kernel = c
    .dims(weight)
    .slice(2)
    .map((_, i) => c.size(weight, i + 2));
  const s = slidingOf(c, c.output, x, kernel);
  // What no window of the convolution may reach: the output padding, which only the bias fills.
  const end = s.end.map((count, i) => count - Math.max(0, overhang(s, i)));
  const crop = end.map((count) => Math.min(count, 0));
  const gradient = pad(c.builder, c.gradient, [0, 0, ...crop.map(() => 0)], [0, 0, ...crop]);
  return [
    c.emit('Conv', [gradient, weight], {
      group: c.int('group', 1),
      kernel_shape: kernel,
      strides: s.strides,
      dilations: s.dilations,
      pads: [...s.begin, ...end.map((count) => Math.max(count, 0))],
    }),
  ];
};

export const CONVOLUTION_RULES: Readonly<Record<string, Rule>> = { Conv: conv, ConvTranspose: convTranspose };
