/** Gradients of operators that only move elements: each moves the gradient back. */
import type { Dim } from '../graph.js';
import type { Rule, RuleContext } from './rule.js';
import { range, reshape, sumTo } from './tensors.js';

/** Anything that keeps the elements in their order. */
const reshaped: Rule = (c) => [reshape(c.builder, c.gradient, c.dims(c.output), c.dims(c.inputs[0]))];

const transpose: Rule = (c) => {
  const perm = c.ints('perm') ?? range(c.dims(c.inputs[0]).length).reverse();
  return [c.emit('Transpose', [c.gradient], { perm: perm.map((_, axis) => perm.indexOf(axis)) })];
};

const expandRule: Rule = (c) => [sumTo(c.builder, c.gradient, c.dims(c.output), c.dims(c.inputs[0]))];

/** Sums over the copies, which are laid out as an axis of their own in front of each repeated one. */
const tile: Rule = (c) => {
  const dims = c.dims(c.inputs[0]);
  const repeats = c.integers(1) ?? dims.map(() => 1);
  const copies = repeats.flatMap((count, i) => (count === 1 ? [] : [{ axis: i, count }]));
  if (copies.length === 0) return [c.gradient];
  const split = dims.flatMap((dim, i): Dim[] => (repeats[i] === 1 ? [dim] : [repeats[i], dim]));
  const apart = reshape(c.builder, c.gradient, c.dims(c.output), split);
  const axes = copies.map(({ axis }, before) => axis + before);
  return [c.emit('ReduceSum', [apart, c.builder.i64(axes)], { keepdims: 0 })];
};

const spaceToDepth: Rule = (c) => [
  c.emit('DepthToSpace', [c.gradient], { blocksize: c.int('blocksize', 1), mode: 'DCR' }),
];

const depthToSpace: Rule = (c) => {
  const block = c.int('blocksize', 1);
  if (c.text('mode', 'DCR') === 'DCR') return [c.emit('SpaceToDepth', [c.gradient], { blocksize: block })];
  return [crdSpaceToDepth(c, block)];
};

/** In the column-row-depth order a channel's block stands together, which SpaceToDepth cannot say. */
function crdSpaceToDepth(c: RuleContext, block: number): string {
  const dims = c.dims(c.inputs[0]);
  const [batch, channels] = [dims[0], c.size(c.output, 1)];
  const [height, width] = [c.size(c.inputs[0], 2), c.size(c.inputs[0], 3)];
  const apart = [batch, channels, height, block, width, block];
  const blocks = reshape(c.builder, c.gradient, c.dims(c.output), apart);
  const together = c.emit('Transpose', [blocks], { perm: [0, 1, 3, 5, 2, 4] });
  return reshape(c.builder, together, [batch, channels, block, block, height, width], dims);
}

export const LAYOUT_RULES: Readonly<Record<string, Rule>> = {
  Reshape: reshaped,
  Flatten: reshaped,
  Squeeze: reshaped,
  Unsqueeze: reshaped,
  Transpose: transpose,
  Expand: expandRule,
  Tile: tile,
  SpaceToDepth: spaceToDepth,
  DepthToSpace: depthToSpace,
};
