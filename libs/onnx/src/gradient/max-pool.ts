/**
 * Gradients of MaxPool. Where windows lie side by side, elements are compared with their window's maximum, all at
 * the input's resolution; elements that tie share the gradient evenly. Maps in blocks and the common windows that overlap
 * have files of their own; for the others the runtime's own indices and a scatter serve, and of a tie the first element gets all.
 * Either way a window hands on its gradient once, also in the flat regions that images have.
 */
import type { Rule, RuleContext } from './rule.js';
import { overlappingPoolGradient, overlapsBy3Over2 } from './overlapping-pool.js';
import { coversBlocks, sideBySidePoolGradient } from './side-by-side-pool.js';
import { slidingOf, type Sliding } from './sliding.js';
import { equalMask, pad, product, repeat } from './tensors.js';

function compared(c: RuleContext, s: Sliding): string {
  const b = c.builder;
  const none = [0, 0, ...s.kernel.map(() => 0)];
  const rest = [0, 0, ...s.sizes.map((size, i) => size - s.counts[i] * s.kernel[i])];
  // Elements behind the last window are cut off, and come back as zeros.
  const x = pad(
    b,
    c.inputs[0],
    none,
    rest.map((n) => -n),
  );
  const mask = equalMask(b, x, repeat(b, c.output, s.kernel));
  const share = b.node('AveragePool', [mask], { kernel_shape: s.kernel, strides: s.kernel });
  const ties = c.emit('Mul', [share, b.f32(product(s.kernel))]);
  const spread = repeat(b, c.emit('Div', [c.gradient, ties]), s.kernel);
  return pad(b, c.emit('Mul', [mask, spread]), none, rest);
}

function scattered(c: RuleContext): string {
  const b = c.builder;
  const [x] = c.inputs;
  const flat = b.i64([-1]);
  const [, indices] = b.nodes(
    'MaxPool',
    [x],
    { ...c.node.attributes, storage_order: 0 },
    ['maxpool', 'maxpool_indices'].map((hint) => b.fresh(hint)),
  );
  const shape = c.emit('Shape', [x]);
  const zeros = c.emit('Reshape', [c.emit('ConstantOfShape', [shape]), flat]);
  const [at, gradient] = [indices, c.gradient].map((tensor) => c.emit('Reshape', [tensor, flat]));
  const sum = c.emit('ScatterElements', [zeros, at, gradient], { axis: 0, reduction: 'add' });
  return c.emit('Reshape', [sum, shape]);
}

const maxPool: Rule = (c) => {
  const kernel = c.ints('kernel_shape') ?? c.refuse('it has no kernel_shape');
  const s = slidingOf(c, c.inputs[0], c.output, kernel);
  const sideBySide = kernel.every(
    (k, i) => k === s.strides[i] && s.begin[i] === 0 && s.dilations[i] === 1 && s.counts[i] * k <= s.sizes[i],
  );
  if (sideBySide) return [coversBlocks(c, s) ? sideBySidePoolGradient(c, s) : compared(c, s)];
  return [overlapsBy3Over2(c, s) ? overlappingPoolGradient(c, s) : scattered(c)];
};

export const MAX_POOL_RULES: Readonly<Record<string, Rule>> = { MaxPool: maxPool };
