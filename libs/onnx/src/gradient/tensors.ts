/**
 * Shape work that many rules share. Sizes are known up to the batch, so whatever these append is right for every
 * batch size at run time.
 */
import { tensorF32, type GraphBuilder } from '../builder.js';
import type { Dim } from '../graph.js';
import { sameDim, sameDims } from '../shapes/dims.js';

export const allFixed = (dims: readonly Dim[]): dims is readonly number[] =>
  dims.every((dim) => typeof dim === 'number');

export const product = (values: readonly number[]): number => values.reduce((a, b) => a * b, 1);

export const range = (length: number): number[] => Array.from({ length }, (_, i) => i);

/** Gives `tensor`, of dims `from`, the dims `to`, which hold as many elements. */
export function reshape(b: GraphBuilder, tensor: string, from: readonly Dim[], to: readonly Dim[]): string {
  if (sameDims(from, to)) return tensor;
  // 0 copies the size at the same place, -1 is what remains: one of each kind serves any batch.
  const copied = to.map((dim, i) => typeof dim !== 'number' && i < from.length && sameDim(dim, from[i]));
  const target = to.map((dim, i) => (typeof dim === 'number' ? dim : copied[i] ? 0 : -1));
  if (target.filter((size) => size === -1).length <= 1) return b.node('Reshape', [tensor, b.i64(target)]);
  const batch = batchSize(b, tensor, from);
  const sizes = to.map((dim) =>
    typeof dim === 'number' ? b.i64([dim]) : b.node('Mul', [batch, b.i64([dim.perSample])]),
  );
  return b.node('Reshape', [tensor, b.node('Concat', sizes, { axis: 0 })]);
}

/** N as an int64 [1], read off an axis that is a multiple of it. */
function batchSize(b: GraphBuilder, tensor: string, dims: readonly Dim[]): string {
  const axis = dims.findIndex((dim) => typeof dim !== 'number');
  const dim = dims[axis];
  const size = b.node('Shape', [tensor], { start: axis, end: axis + 1 });
  return typeof dim === 'number' ? size : b.node('Div', [size, b.i64([dim.perSample])]);
}

/** Sums `tensor`, of dims `from`, over the axes along which a tensor of dims `to` was broadcast to it. */
export function sumTo(b: GraphBuilder, tensor: string, from: readonly Dim[], to: readonly Dim[]): string {
  const lead = from.length - to.length;
  const inner = range(to.length).filter((i) => !sameDim(from[lead + i], to[i]));
  if (lead + inner.length === 0) return tensor;
  const axes = b.i64([...range(lead), ...inner.map((i) => lead + i)]);
  const keepdims = inner.length > 0 ? 1 : 0;
  const sum = b.node('ReduceSum', [tensor, axes], { keepdims });
  return keepdims === 1 && lead > 0 ? b.node('Squeeze', [sum, b.i64(range(lead))]) : sum;
}

/** Repeats `tensor`, of dims `from` (of the same rank), to the dims `to`. */
export function expand(b: GraphBuilder, tensor: string, from: readonly Dim[], to: readonly Dim[]): string {
  if (sameDims(from, to)) return tensor;
  const batch = to.findIndex((dim, i) => typeof dim !== 'number' && !sameDim(from[i], dim));
  if (batch >= 0) throw new RangeError(`axis ${batch} cannot be repeated along the batch`);
  // Expand keeps the size along axes whose target is 1.
  return b.node('Expand', [tensor, b.i64(to.map((dim) => (typeof dim === 'number' ? dim : 1)))]);
}

/** The sum of several tensors of one shape. */
export const addAll = (b: GraphBuilder, tensors: readonly string[]): string =>
  tensors.length === 1 ? tensors[0] : b.node(tensors.length === 2 ? 'Add' : 'Sum', tensors);

/** `tensor` times a number. */
export const scale = (b: GraphBuilder, tensor: string, factor: number): string =>
  factor === 1 ? tensor : factor === -1 ? b.node('Neg', [tensor]) : b.node('Mul', [tensor, b.f32(factor)]);

/** 1 where two tensors are equal, else 0. */
export const equalMask = (b: GraphBuilder, a: string, other: string): string =>
  b.node('Cast', [b.node('Equal', [a, other])], { to: 1 });

/** Adds zeros in front of and behind `tensor`; negative counts crop. Lists over all axes. */
export function pad(
  b: GraphBuilder,
  tensor: string,
  begin: readonly number[],
  end: readonly number[],
  value = 0,
): string {
  if ([...begin, ...end].every((count) => count === 0)) return tensor;
  return b.node('Pad', [tensor, b.i64([...begin, ...end]), b.f32(value)]);
}

/**
 * Contracts an axis of `tensor` with a constant matrix [from, to]: out[.., j, ..] = sum_i in[.., i, ..] m[i, j].
 * Every resampling along an axis, and its adjoint, has this form.
 */
export function contract(
  b: GraphBuilder,
  tensor: string,
  rank: number,
  axis: number,
  matrix: { readonly from: number; readonly to: number; readonly data: Float32Array },
): string {
  const { from, to, data } = matrix;
  if (axis === rank - 1) return b.node('MatMul', [tensor, b.constant(tensorF32([from, to], data))]);
  if (axis === rank - 2) {
    const turned = Float32Array.from(
      { length: data.length },
      (_, at) => data[(at % from) * to + Math.floor(at / from)],
    );
    return b.node('MatMul', [b.constant(tensorF32([to, from], turned)), tensor]);
  }
  const perm = range(rank);
  [perm[axis], perm[rank - 1]] = [rank - 1, axis];
  const last = b.node('Transpose', [tensor], { perm });
  return b.node('Transpose', [contract(b, last, rank, rank - 1, matrix)], { perm });
}

/**
 * Spreads `tensor` along the axes from the second on, `steps[i]` apart, with zeros between and behind, so that
 * m elements become m * step. `sizes` are those of the spread axes.
 */
export function spread(
  b: GraphBuilder,
  tensor: string,
  sizes: readonly number[],
  steps: readonly number[],
): string {
  if (steps.every((step) => step === 1)) return tensor;
  const repeated = repeat(b, tensor, steps);
  const dims = sizes.map((size, i) => size * steps[i]);
  const strides = dims.map((_, i) => product(dims.slice(i + 1)));
  const mask = Float32Array.from({ length: product(dims) }, (_, at) =>
    dims.every((dim, i) => (Math.floor(at / strides[i]) % dim) % steps[i] === 0) ? 1 : 0,
  );
  return b.node('Mul', [repeated, b.constant(tensorF32([1, 1, ...dims], mask))]);
}

/** Repeats every element `steps[i]` times along the axes from the third on. */
export const repeat = (b: GraphBuilder, tensor: string, steps: readonly number[]): string =>
  b.node('Resize', [tensor, '', b.constant(tensorF32([2 + steps.length], [1, 1, ...steps]))], {
    mode: 'nearest',
    coordinate_transformation_mode: 'asymmetric',
    nearest_mode: 'floor',
  });
