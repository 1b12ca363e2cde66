/** Elements of the operators that only move them: each reads its input through offsets. */
import type { TensorInfo } from '../../graph.js';
import { dimsAt, isFixed } from '../dims.js';
import { padsOf, slicesOf, strideOf } from '../slicing.js';
import type { Evaluator } from './arithmetic.js';
import { broadcastStrides, offsets, stridesOf } from './strides.js';
import { allFixed, numbersOf, type Entry, type Value } from './value.js';

const isStatic = ({ dims }: TensorInfo): boolean => dims.every(isFixed);

/** The elements of `value` at the offsets, in a tensor of the output's shape. */
function taken(value: Value, output: TensorInfo, at: ArrayLike<number>): Value {
  const { entries } = value;
  const numbers = allFixed(entries);
  const type = output.type;
  const dims = dimsAt(output.dims, 1);
  if (numbers !== undefined) {
    const result = numbersOf(type, at.length);
    for (let i = 0; i < at.length; i++) result[i] = numbers[at[i]];
    return { type, dims, entries: result };
  }
  return { type, dims, entries: Array.from(at, (offset) => entries[offset]) };
}

/** Reshape, Squeeze, Unsqueeze, Flatten: the elements stay where they are. */
export const reshaped: Evaluator = (at, [output]) => {
  const value = at.value(0);
  return value && { ...value, dims: dimsAt(output.dims, 1) };
};

export const transposed: Evaluator = (at, [output]) => {
  const value = at.value(0);
  if (value === undefined) return undefined;
  const strides = stridesOf(value.dims);
  const order = at.ints('perm', [...value.dims.keys()].reverse());
  return taken(
    value,
    output,
    offsets(
      dimsAt(output.dims, 1),
      order.map((axis) => strides[axis]),
    ),
  );
};

export const sliced: Evaluator = (at, [output]) => {
  const value = at.value(0);
  if (value === undefined) return undefined;
  const strides = stridesOf(value.dims);
  let start = 0;
  for (const { axis, start: from, end, step } of slicesOf(at)) {
    if (!isFixed(from) || !isFixed(end)) return undefined;
    const stride = strideOf(value.dims[axis], from, end, step);
    start += stride.start * strides[axis];
    strides[axis] *= step;
  }
  return taken(value, output, offsets(dimsAt(output.dims, 1), strides, start));
};

/** Expand. */
export const expanded: Evaluator = (at, [output]) => {
  const value = at.value(0);
  if (value === undefined || !isStatic(output)) return undefined;
  const dims = dimsAt(output.dims, 1);
  return taken(value, output, offsets(dims, broadcastStrides(value.dims, dims)));
};

export const tiled: Evaluator = (at, [output]) => {
  const value = at.value(0);
  if (value === undefined || !isStatic(output)) return undefined;
  const repeats = at.numbers(1);
  const strides = stridesOf(value.dims);
  const dims = value.dims.flatMap((dim, axis) => [repeats[axis], dim]);
  return taken(
    value,
    output,
    offsets(
      dims,
      strides.flatMap((stride) => [0, stride]),
    ),
  );
};

/** Gather along one axis; negative indices count from the back. */
export const gathered: Evaluator = (at, [output]) => {
  const value = at.value(0);
  const indices = at.value(1) && allFixed(at.value(1)!.entries);
  if (value === undefined || indices === undefined) return undefined;
  const axis = at.axis(at.int('axis', 0), value.dims.length);
  const size = value.dims[axis];
  const inner = stridesOf(value.dims)[axis];
  const outer = value.dims.slice(0, axis).reduce((total, dim) => total * dim, 1);
  const places: number[] = [];
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < indices.length; i++) {
      const index = at.axis(indices[i], size);
      for (let j = 0; j < inner; j++) places.push((o * size + index) * inner + j);
    }
  return taken(value, output, places);
};

/** Concat, by writing each input behind the others along the axis. */
export const joined: Evaluator = (at, [output]) => {
  const inputs = at.node.inputs.map((_, index) => at.value(index));
  if (!isStatic(output)) return undefined;
  const dims = dimsAt(output.dims, 1);
  const axis = at.axis(at.int('axis'), dims.length);
  const strides = stridesOf(dims);
  const entries = new Array<Entry>(dims.reduce((total, dim) => total * dim, 1)).fill(undefined);
  let start = 0;
  for (const [index, input] of inputs.entries()) {
    const size = dimsAt(at.dims(index), 1);
    if (input !== undefined) {
      const places = offsets(size, strides, start * strides[axis]);
      for (let i = 0; i < places.length; i++) entries[places[i]] = input.entries[i];
    }
    start += size[axis];
  }
  return { type: output.type, dims, entries };
};

/** Split; the only one with several outputs. */
export const parts = (at: Parameters<Evaluator>[0], outputs: readonly TensorInfo[]): Value[] | undefined => {
  const value = at.value(0);
  if (value === undefined) return undefined;
  const axis = at.axis(at.int('axis', 0), value.dims.length);
  const strides = stridesOf(value.dims);
  let start = 0;
  return outputs.map((output) => {
    const dims = dimsAt(output.dims, 1);
    const places = offsets(dims, strides, start * strides[axis]);
    start += dims[axis];
    return taken(value, output, places);
  });
};

/** Pad with a constant. */
export const padded: Evaluator = (at, [output]) => {
  const value = at.value(0);
  if (value === undefined || at.string('mode', 'constant') !== 'constant') return undefined;
  const fill = at.has(2) ? at.value(2)?.entries[0] : 0;
  const { before } = padsOf(at);
  const dims = dimsAt(output.dims, 1);
  const coordinate = new Array<number>(dims.length);
  const sources = stridesOf(value.dims);
  const targets = stridesOf(dims);
  const count = dims.reduce((total, dim) => total * dim, 1);
  const entries = Array.from({ length: count }, (_, place): Entry => {
    let source = 0;
    for (let axis = 0; axis < dims.length; axis++) {
      coordinate[axis] = (Math.floor(place / targets[axis]) % dims[axis]) - before[axis];
      if (coordinate[axis] < 0 || coordinate[axis] >= value.dims[axis]) return fill;
      source += coordinate[axis] * sources[axis];
    }
    return value.entries[source];
  });
  return { type: output.type, dims, entries };
};

/** ScatterND without a reduction: rows of the data replaced by the updates. */
export const scattered: Evaluator = (at, [output]) => {
  const value = at.value(0);
  const updates = at.value(2);
  const indices = at.value(1);
  const numbers = indices && allFixed(indices.entries);
  if (!value || !updates || !indices || !numbers || at.string('reduction', 'none') !== 'none')
    return undefined;
  const depth = indices.dims[indices.dims.length - 1];
  const strides = stridesOf(value.dims);
  const row = value.dims.slice(depth).reduce((total, dim) => total * dim, 1);
  const entries = Array.from(value.entries);
  for (let i = 0; i < numbers.length / depth; i++) {
    let start = 0;
    for (let axis = 0; axis < depth; axis++)
      start += at.axis(numbers[i * depth + axis], value.dims[axis]) * strides[axis];
    for (let j = 0; j < row; j++) entries[start + j] = updates.entries[i * row + j];
  }
  return { type: output.type, dims: value.dims, entries };
};
