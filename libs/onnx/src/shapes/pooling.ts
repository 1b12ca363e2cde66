/** Pools over the spatial axes of [batch, channels, ...spatial]. */
import type { Dim } from '../graph.js';
import { one, type Rule, type Site } from './site.js';
import { windowCounts, windowsOf } from './windows.js';

function pooled(at: Site): Dim[] {
  const dims = at.dims(0);
  const kernel = at.ints('kernel_shape');
  at.rank(0, kernel.length + 2);
  const windows = windowsOf(at, kernel);
  return [...dims.slice(0, 2), ...windowCounts(at, dims.slice(2), windows, at.int('ceil_mode', 0) !== 0)];
}

/** The second output is each maximum's index in the flattened input. */
export const maxPool: Rule = (at) => {
  const dims = pooled(at);
  return [
    { type: at.type(0), dims },
    { type: 'int64', dims },
  ];
};

export const pool: Rule = (at) => one(at.type(0), pooled(at));

export const globalPool: Rule = (at) => {
  at.rank(0, 3, 32);
  return one(
    at.type(0),
    at.dims(0).map((dim, axis) => (axis < 2 ? dim : 1)),
  );
};
