/** Reductions over axes. */
import type { Dim } from '../graph.js';
import { isFixed } from './dims.js';
import { one, type Rule, type Site } from './site.js';

function without(dims: readonly Dim[], axes: ReadonlySet<number>, keep: boolean): Dim[] {
  return dims.flatMap((dim, axis) => (axes.has(axis) ? (keep ? [1] : []) : [dim]));
}

/** The axes that a Reduce operator works on, counted from the front; all of them where none is given. */
export function reducedAxes(at: Site): Set<number> {
  const rank = at.dims(0).length;
  const given = at.has(1) ? at.axes(at.numbers(1), rank) : [];
  if (given.length > 0) return new Set(given);
  return new Set(at.int('noop_with_empty_axes', 0) === 0 ? at.dims(0).keys() : []);
}

/** ReduceSum, ReduceMean, ...: the axes are an input since operator set 18. */
export const reduce: Rule = (at) =>
  one(at.type(0), without(at.dims(0), reducedAxes(at), at.int('keepdims', 1) !== 0));

export const argExtreme: Rule = (at) => {
  const axis = at.axis(at.int('axis', 0), at.dims(0).length);
  return one('int64', without(at.dims(0), new Set([axis]), at.int('keepdims', 1) !== 0));
};

export const topK: Rule = (at) => {
  const dims = at.dims(0);
  const axis = at.axis(at.int('axis', -1), dims.length);
  const [k] = at.numbers(1);
  const size = dims[axis];
  if (k < 0 || k > (isFixed(size) ? size : size.perSample))
    at.fail('invalid', `the largest ${k} along axis ${axis}`);
  const kept = dims.map((dim, i) => (i === axis ? k : dim));
  return [
    { type: at.type(0), dims: kept },
    { type: 'int64', dims: kept },
  ];
};
