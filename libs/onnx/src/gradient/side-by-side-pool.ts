/**
 * The gradient of MaxPool where windows lie side by side, on maps in blocks: each element is compared with its
 * window's maximum at the input's size, and elements that tie share the gradient evenly. Only the share of each, at
 * the output's size, is worked out outside of the blocks, where nothing divides.
 */
import { tensorF32 } from '../builder.js';
import { inBlocks, scaleChannels, zeroFromBelow } from './blocked.js';
import type { RuleContext } from './rule.js';
import type { Sliding } from './sliding.js';
import { product, repeat } from './tensors.js';

/** Maps that the windows cover without a rest. */
export const coversBlocks = (c: RuleContext, s: Sliding): boolean =>
  s.sizes.length === 2 &&
  inBlocks(c.size(c.inputs[0], 1)) &&
  s.sizes.every((size, i) => size === s.counts[i] * s.kernel[i]);

export function sideBySidePoolGradient(c: RuleContext, s: Sliding): string {
  const b = c.builder;
  const [x] = c.inputs;
  const channels = c.size(x, 1);
  const ones = (count: number): Float32Array => new Float32Array(count).fill(1);
  // The runtime makes one step of the negation, the sum and the mask, as it does behind any convolution.
  const maximum = scaleChannels(b, repeat(b, c.output, s.kernel), ones(channels).fill(-1));
  const mask = zeroFromBelow(b, b.node('Add', [maximum, x]));
  const ties = b.node(
    'Conv',
    [mask, b.constant(tensorF32([channels, 1, ...s.kernel], ones(channels * product(s.kernel))))],
    { group: channels, kernel_shape: s.kernel, strides: s.kernel },
  );
  const share = b.node('Mul', [c.gradient, b.node('Reciprocal', [ties])]);
  return b.node('Mul', [mask, repeat(b, share, s.kernel)]);
}
