/**
 * Operators of a training step on maps in blocks. Each says whether it has taken a node over; where not, the node stays as it
 * is and its inputs are reordered back.
 */
import type { Node } from '../../graph.js';
import { sameDims } from '../../shapes/dims.js';
import { type Attributes, NCHWC, type Layout } from './layout.js';

export type OnBlocks = (layout: Layout, node: Node) => boolean;

/**
 * The kernel in the runtime's order: blocks of filters outermost, filters of a block innermost, and right before them the
 * channels of a block. Fewer channels than a block are read from a map that is in none. To put filters into blocks is what
 * reordering a map does, and much faster than a transposition of six axes.
 */
function blockedKernel(layout: Layout, weight: string, dims: readonly number[]): string {
  const { b, block } = layout;
  const [filters, depth, height, width] = dims;
  const map = b.node('Reshape', [weight, b.i64([1, filters, depth * height * width, 1])]);
  const byFilter = layout.onBlocks('ReorderInput', [map], {});
  if (depth < block) return b.node('Reshape', [byFilter, b.i64(dims)]);
  const apart = [filters / block, depth / block, block, height * width, block];
  const turned = b.node('Transpose', [b.node('Reshape', [byFilter, b.i64(apart)])], {
    perm: [0, 1, 3, 2, 4],
  });
  return b.node('Reshape', [turned, b.i64(dims)]);
}

const convolution: OnBlocks = (layout, { inputs, outputs: [y], attributes }) => {
  const [x, weight, bias] = inputs;
  const dims = layout.dims(weight).map(Number);
  const group = attributes['group'];
  const depth = dims[1];
  if (!layout.fits(y) || (group?.kind === 'int' && group.value !== 1n)) return false;
  if (depth % layout.block !== 0 && depth >= layout.block) return false;
  const source = depth < layout.block ? layout.plain(x) : layout.blocked(x);
  const parts = [
    source,
    blockedKernel(layout, layout.plain(weight), dims),
    ...(bias ? [layout.plain(bias)] : []),
  ];
  layout.madeBlocked(y, layout.onBlocks('Conv', parts, attributes));
  return true;
};

/** x times a factor [C] plus a shift [C], in one pass: a depthwise convolution of one place. */
function affine(
  layout: Layout,
  x: string,
  factor: string,
  rest: readonly string[],
  attributes: Attributes = {},
): string {
  const [channels] = layout.sizes(x);
  const kernel = layout.b.node('Reshape', [factor, layout.b.i64([channels, 1, 1, 1])]);
  return layout.onBlocks('Conv', [layout.blocked(x), kernel, ...rest], {
    kernel_shape: [1, 1],
    group: channels,
    ...attributes,
  });
}

/** With the ReLU or the sum behind it, where nobody else reads what is between. */
const normalisation: OnBlocks = (layout, { inputs, outputs: [y], attributes }) => {
  const [x, scale, bias, mean, variance] = inputs;
  if (!layout.fits(x) || !layout.isBlocked(x)) return false;
  const { b } = layout;
  const epsilon = attributes['epsilon'];
  const raised = b.node('Add', [
    layout.plain(variance),
    b.f32(epsilon?.kind === 'float' ? epsilon.value : 1e-5),
  ]);
  const factor = b.node('Div', [layout.plain(scale), b.node('Sqrt', [raised])]);
  const shift = b.node('Sub', [layout.plain(bias), b.node('Mul', [layout.plain(mean), factor])]);
  const next = layout.onlyReader(y);
  if (next?.op === 'Relu') {
    layout.madeBlocked(next.outputs[0], affine(layout, x, factor, [shift], { activation: 'Relu' }));
    layout.skip(next);
    return true;
  }
  const other = next?.op === 'Add' ? next.inputs.find((input) => input !== y) : undefined;
  if (next && other !== undefined && layout.isMade(other) && sameDims(layout.dims(other), layout.dims(y))) {
    layout.madeBlocked(next.outputs[0], affine(layout, x, factor, [shift, layout.blocked(other)]));
    layout.skip(next);
    return true;
  }
  layout.madeBlocked(y, affine(layout, x, factor, [shift]));
  return true;
};

const isScalar = (layout: Layout, tensor: string): boolean =>
  layout.dims(tensor).every((dim) => dim === 1) && layout.dims(tensor).length < 4;

/** One factor per channel, [C, 1, 1]. */
const isPerChannel = (layout: Layout, tensor: string, y: string): boolean =>
  layout.dims(tensor).length === 3 && sameDims(layout.dims(tensor), [layout.sizes(y)[0], 1, 1]);

/** From so many places on a sum is taken row by row first: one long sum loses digits. */
const LONG = 1024;

/**
 * The sum over height and width of the product of two maps, [N, C], in one pass: a depthwise convolution whose kernel is the
 * other map, with every sample's channels as channels of one.
 */
function dots(layout: Layout, a: string, other: string, y: string): void {
  const { b, block, batch } = layout;
  const [channels, height, width] = layout.sizes(a);
  const rows = height * width < LONG ? 1 : height;
  const groups = batch * channels * rows;
  const x = b.node('Reshape', [layout.blocked(a), b.i64([1, groups, height / rows, width])]);
  const kernel = b.node('Reshape', [layout.blocked(other), b.i64([groups, 1, height / rows, width])]);
  const sums = layout.onBlocks('Conv', [x, kernel], { kernel_shape: [height / rows, width], group: groups });
  const bySample = b.node('Reshape', [sums, b.i64([-1, channels / block, rows, block])]);
  const whole = rows === 1 ? bySample : b.node('ReduceSum', [bySample, b.i64([2])], { keepdims: 0 });
  layout.madePlain('Reshape', [whole, b.i64([-1, channels])], {}, y);
}

const sumOfSquares: OnBlocks = (layout, node) => {
  const [x] = node.inputs;
  if (!isOverPlaces(layout, node)) return false;
  dots(layout, x, x, node.outputs[0]);
  return true;
};

const elementwise: OnBlocks = (layout, node) => {
  const [y] = node.outputs;
  const same = (tensor: string): boolean => sameDims(layout.dims(tensor), layout.dims(y));
  if (!layout.fits(y) || !node.inputs.some((input) => same(input) && layout.isBlocked(input))) return false;
  const [first, second] = node.inputs;
  if (node.op === 'Mul' && same(first) && isPerChannel(layout, second, y)) {
    layout.madeBlocked(y, affine(layout, first, layout.plain(second), []));
    return true;
  }
  const next = layout.onlyReader(y);
  if (
    node.op === 'Mul' &&
    same(first) &&
    same(second) &&
    next?.op === 'ReduceSum' &&
    sumsPlaces(layout, next)
  ) {
    dots(layout, first, second, next.outputs[0]);
    layout.skip(next);
    return true;
  }
  if (!node.inputs.every((input) => same(input) || isScalar(layout, input))) return false;
  // Only numbers can be put into another order.
  if (!layout.isFloat(y) && !layout.readers(y).every((reader) => reader.op === 'Cast')) return false;
  const inputs = node.inputs.map((input) => (same(input) ? layout.blocked(input) : layout.plain(input)));
  layout.madeBlocked(y, layout.b.node(node.op, inputs, node.attributes));
  return true;
};

const pool: OnBlocks = (layout, { op, inputs: [x], outputs, attributes }) => {
  if (!layout.fits(x) || !layout.isBlocked(x) || outputs.length > 1) return false;
  layout.madeBlocked(outputs[0], layout.onBlocks(op, [layout.blocked(x)], attributes));
  return true;
};

/** One place per channel lies in blocks as it lies without. */
const globalPool: OnBlocks = (layout, { op, inputs: [x], outputs: [y] }) => {
  if (!layout.fits(x) || !layout.isBlocked(x)) return false;
  layout.madePlain(op, [layout.blocked(x)], {}, y, NCHWC);
  return true;
};

/** As the runtime's operator on blocks repeats elements. */
const REPEATS = {
  mode: 'nearest',
  coordinate_transformation_mode: 'asymmetric',
  nearest_mode: 'floor',
} as const;

/** Repeats elements, as the gradient of a pool does. */
const resize: OnBlocks = (layout, { inputs, outputs: [y], attributes }) => {
  const [x, , scales] = inputs;
  const repeats = Object.entries(REPEATS).every(([name, wanted]) => {
    const own = attributes[name];
    return own?.kind === 'string' && own.value === wanted;
  });
  const factors = [...((layout.constant(scales ?? '')?.data as Float32Array | undefined) ?? [])];
  const [perSample, perChannel] = factors;
  if (!repeats || perSample !== 1 || perChannel !== 1 || !factors.every(Number.isInteger)) return false;
  if (!layout.fits(x) || !layout.isBlocked(x)) return false;
  layout.madeBlocked(y, layout.onBlocks('Upsample', [layout.blocked(x)], { scales: factors }));
  return true;
};

/** Over height and width, which do not stay. */
function sumsPlaces(layout: Layout, { inputs: [, axes], attributes }: Node): boolean {
  const keeps = attributes['keepdims'];
  const over = [...((layout.constant(axes ?? '')?.data as BigInt64Array | undefined) ?? [])].map(Number);
  return over.join() === '2,3' && keeps?.kind === 'int' && keeps.value === 0n;
}

const isOverPlaces = (layout: Layout, node: Node): boolean =>
  layout.fits(node.inputs[0]) && layout.isBlocked(node.inputs[0]) && sumsPlaces(layout, node);

/** The blocks' places lie together. */
const reduction: OnBlocks = (layout, node) => {
  const {
    op,
    inputs: [x],
    outputs: [y],
  } = node;
  if (!isOverPlaces(layout, node)) return false;
  const { b, block } = layout;
  const [channels, height, width] = layout.sizes(x);
  const apart = b.node('Reshape', [layout.blocked(x), b.i64([-1, channels / block, height * width, block])]);
  const reduced = b.node(op, [apart, b.i64([2])], { keepdims: 0 });
  layout.madePlain('Reshape', [reduced, b.i64([-1, channels])], {}, y);
  return true;
};

/** Whole blocks one after the other. */
const concatenation: OnBlocks = (layout, { inputs, outputs: [y], attributes }) => {
  const axis = attributes['axis'];
  if (axis?.kind !== 'int' || axis.value !== 1n || !layout.fits(y)) return false;
  if (!inputs.every((input) => layout.fits(input)) || !inputs.some((input) => layout.isBlocked(input)))
    return false;
  const parts = inputs.map((input) => layout.blocked(input));
  layout.madeBlocked(y, layout.b.node('Concat', parts, attributes));
  return true;
};

const ELEMENTWISE = [
  'Relu',
  'HardSigmoid',
  'Sigmoid',
  'Neg',
  'Add',
  'Sub',
  'Mul',
  'Sum',
  'Where',
  'Equal',
  'Cast',
];

export const ON_BLOCKS: ReadonlyMap<string, OnBlocks> = new Map([
  ['Conv', convolution],
  ['BatchNormalization', normalisation],
  ['MaxPool', pool],
  ['AveragePool', pool],
  ['GlobalAveragePool', globalPool],
  ['Resize', resize],
  ['ReduceSum', reduction],
  ['ReduceMean', reduction],
  ['ReduceSumSquare', sumOfSquares],
  ['Concat', concatenation],
  ...ELEMENTWISE.map((op) => [op, elementwise] as const),
]);
