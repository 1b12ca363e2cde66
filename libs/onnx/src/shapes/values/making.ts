/** Elements of the operators that make tensors out of shapes and attributes. */
import { dimsAt, isFixed, perSample, product } from '../dims.js';
import { shapeSpan } from '../indexing.js';
import type { Evaluator } from './arithmetic.js';
import { valueOf, type Entry } from './value.js';

/** The only source of multiples of N: the shape of a tensor that grows with the batch. */
export const shape: Evaluator = (at, [{ type }]) => {
  const dims = at.dims(0);
  const [from, to] = shapeSpan(dims.length, at.int('start', 0), at.int('end', 2 ** 31));
  const entries = dims.slice(from, Math.max(from, to));
  return { type, dims: [entries.length], entries };
};

export const size: Evaluator = (at, [{ type }]) => ({ type, dims: [], entries: [product(at.dims(0))] });

export const constant: Evaluator = (at, [{ type, dims }]) => {
  const given = Object.values(at.node.attributes)[0];
  if (given.kind === 'tensor') return valueOf(given.value);
  const entries: Entry[] | undefined =
    given.kind === 'ints'
      ? given.value.map(Number)
      : given.kind === 'floats'
        ? given.value.map(Math.fround)
        : given.kind === 'int'
          ? [Number(given.value)]
          : given.kind === 'float'
            ? [Math.fround(given.value)]
            : undefined;
  return entries && { type, dims: dimsAt(dims, 1), entries };
};

export const filled: Evaluator = (at, [{ type, dims }]) => {
  if (!dims.every(isFixed)) return undefined;
  const given = at.node.attributes['value'];
  const fill = given?.kind === 'tensor' ? valueOf(given.value)?.entries[0] : 0;
  const count = dims.reduce<number>((total, dim) => total * (dim as number), 1);
  return { type, dims: dimsAt(dims, 1), entries: new Array<Entry>(count).fill(fill) };
};

export const range: Evaluator = (at, [{ type, dims }]) => {
  const [start, , delta] = [0, 1, 2].map((index) => at.value(index)?.entries[0]);
  const [length] = dims;
  if (!isFixed(length) || start === undefined || delta === undefined) return undefined;
  if (!isFixed(delta)) return undefined;
  const entries = Array.from({ length }, (_, i): Entry => {
    if (isFixed(start)) return type === 'float32' ? Math.fround(start + i * delta) : start + i * delta;
    return i === 0 ? perSample(start.perSample) : undefined;
  });
  return { type, dims: [length], entries };
};
