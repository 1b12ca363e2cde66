/** Row-major addressing: which element of a source stands at each place of a result. */

/** Elements between neighbours along each axis. */
export function stridesOf(dims: readonly number[]): number[] {
  const strides = new Array<number>(dims.length).fill(1);
  for (let axis = dims.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1] * dims[axis + 1];
  return strides;
}

/**
 * For every place of `dims` in row-major order, the offset that grows by `strides[axis]` along each axis: a view
 * of another tensor, be it transposed, sliced (a negative stride walks back) or broadcast (a stride of 0).
 */
export function offsets(dims: readonly number[], strides: readonly number[], start = 0): Int32Array {
  const count = dims.reduce((total, dim) => total * dim, 1);
  const result = new Int32Array(count);
  if (count === 0) return result;
  let filled = 1;
  result[0] = start;
  for (let axis = dims.length - 1; axis >= 0; axis--) {
    for (let i = 1; i < dims[axis]; i++)
      for (let j = 0; j < filled; j++) result[i * filled + j] = result[j] + i * strides[axis];
    filled *= dims[axis];
  }
  return result;
}

/** Strides under which `from` reads as if it were broadcast to `to`. */
export function broadcastStrides(from: readonly number[], to: readonly number[]): number[] {
  const lead = to.length - from.length;
  const strides = stridesOf(from);
  return to.map((_, axis) => (axis < lead || from[axis - lead] === 1 ? 0 : strides[axis - lead]));
}
