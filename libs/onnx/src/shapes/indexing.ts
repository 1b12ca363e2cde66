/** Gather and Scatter in their variants, and what makes tensors out of indices. */
import type { Dim } from '../graph.js';
import { dimsText, sameDims } from './dims.js';
import { one, type Rule } from './site.js';

export const gather: Rule = (at) => {
  const dims = at.dims(0);
  const axis = at.axis(at.int('axis', 0), dims.length);
  return one(at.type(0), [...dims.slice(0, axis), ...at.dims(1), ...dims.slice(axis + 1)]);
};

export const gatherElements: Rule = (at) => {
  at.axis(at.int('axis', 0), at.rank(0, at.dims(1).length));
  return one(at.type(0), at.dims(1));
};

/** The last axis of the indices addresses the first axes of the data, behind the batch axes. */
export const gatherND: Rule = (at) => {
  const dims = at.dims(0);
  const indices = at.dims(1);
  const batch = at.int('batch_dims', 0);
  const depth = at.fixed(indices[indices.length - 1] ?? 0, 'the length of an index');
  if (batch >= indices.length || !sameDims(dims.slice(0, batch), indices.slice(0, batch)))
    at.fail('invalid', `${dimsText(dims)} and ${dimsText(indices)} differ in ${batch} batch axes`);
  if (depth < 1 || depth > dims.length - batch)
    at.fail('invalid', `indices of ${depth} axes into ${dimsText(dims)}`);
  return one(at.type(0), [...indices.slice(0, -1), ...dims.slice(batch + depth)]);
};

export const scatterElements: Rule = (at) => {
  at.axis(at.int('axis', 0), at.rank(0, at.dims(1).length));
  if (!sameDims(at.dims(1), at.dims(2)))
    at.fail('invalid', `indices ${dimsText(at.dims(1))} and updates ${dimsText(at.dims(2))}`);
  return [at.input(0)];
};

export const scatterND: Rule = (at) => {
  const dims = at.dims(0);
  const indices = at.dims(1);
  const depth = at.fixed(indices[indices.length - 1] ?? 0, 'the length of an index');
  if (depth > dims.length || !sameDims(at.dims(2), [...indices.slice(0, -1), ...dims.slice(depth)]))
    at.fail('invalid', `updates ${dimsText(at.dims(2))} for ${dimsText(dims)} at ${dimsText(indices)}`);
  return [at.input(0)];
};

export const oneHot: Rule = (at) => {
  const dims = at.dims(0);
  const axis = at.axis(at.int('axis', -1), dims.length + 1);
  const [depth] = at.entries(1);
  return one(at.type(2), [...dims.slice(0, axis), depth, ...dims.slice(axis)]);
};

export const constantOfShape: Rule = (at) => {
  const value = at.node.attributes['value'];
  return one(value?.kind === 'tensor' ? value.value.type : 'float32', at.entries(0));
};

export const range: Rule = (at) => {
  const [start, limit, delta] = [0, 1, 2].map((index) => {
    const entry = at.value(index)?.entries[0];
    return entry ?? at.fail('unsupported', `'${at.node.inputs[index]}' is not known before running`);
  });
  return one(at.type(0), [
    rangeLength(start, limit, delta) ?? at.fail('unsupported', 'a range over the batch'),
  ]);
};

/** Whole ranges over the batch, 0 to kN in steps of 1, are known too. */
function rangeLength(start: Dim, limit: Dim, delta: Dim): Dim | undefined {
  if (typeof start === 'number' && typeof limit === 'number' && typeof delta === 'number')
    return delta === 0 ? undefined : Math.max(0, Math.ceil((limit - start) / delta));
  return start === 0 && delta === 1 ? limit : undefined;
}

export const shapeOf: Rule = (at) => {
  const [from, to] = shapeSpan(at.dims(0).length, at.int('start', 0), at.int('end', 2 ** 31));
  return one('int64', [Math.max(0, to - from)]);
};

/** Which axes Shape lists: its attributes clamp to the rank. */
export function shapeSpan(rank: number, start: number, end: number): [number, number] {
  const clamp = (axis: number) => Math.max(0, Math.min(rank, axis < 0 ? axis + rank : axis));
  return [clamp(start), clamp(end)];
}

export const sizeOf: Rule = () => one('int64', []);

export const constant: Rule = (at) => {
  const { attributes } = at.node;
  const given = attributes['value'];
  if (given?.kind === 'tensor') return [given.value];
  for (const [name, type] of [
    ['value_float', 'float32'],
    ['value_int', 'int64'],
  ] as const)
    if (attributes[name]) return one(type, []);
  const floats = attributes['value_floats'];
  if (floats?.kind === 'floats') return one('float32', [floats.value.length]);
  return one('int64', [at.ints('value_ints').length]);
};
