/** Operators that give the same elements another shape or order. */
import type { Dim } from '../graph.js';
import { dimsText, dividedBy, isFixed, product, sameDim } from './dims.js';
import { one, type Rule, type Site } from './site.js';

function productOf(at: Site, dims: readonly Dim[]): Dim {
  return product(dims) ?? at.fail('unsupported', `${dimsText(dims)} grows with the square of the batch`);
}

export const reshape: Rule = (at) => {
  const dims = at.dims(0);
  const copies = at.int('allowzero', 0) === 0;
  const target = at.entries(1).map((entry, axis) => {
    if (entry !== 0 || !copies) return entry;
    return dims[axis] ?? at.fail('invalid', `the target copies axis ${axis} of ${dimsText(dims)}`);
  });
  const open = target.indexOf(-1);
  const total = productOf(at, dims);
  if (target.some((entry, axis) => isFixed(entry) && entry < 0 && axis !== open))
    at.fail('invalid', `target ${dimsText(target)}`);
  if (open >= 0) {
    const rest = productOf(
      at,
      target.filter((_, axis) => axis !== open),
    );
    target[open] =
      (rest === 0 ? undefined : dividedBy(total, rest)) ??
      at.fail('invalid', `${dimsText(dims)} does not reshape to ${dimsText(target)} at every batch size`);
  } else if (!sameDim(total, productOf(at, target)))
    at.fail('invalid', `${dimsText(dims)} does not reshape to ${dimsText(target)}`);
  return one(at.type(0), target);
};

export const flatten: Rule = (at) => {
  const dims = at.dims(0);
  const axis = at.int('axis', 1);
  const split = axis === dims.length ? axis : at.axis(axis, dims.length);
  return one(at.type(0), [productOf(at, dims.slice(0, split)), productOf(at, dims.slice(split))]);
};

export const transpose: Rule = (at) => {
  const dims = at.dims(0);
  const order = at.ints('perm', [...dims.keys()].reverse());
  if (order.length !== dims.length) at.fail('invalid', `perm [${order.join()}] of ${dimsText(dims)}`);
  return one(
    at.type(0),
    at.axes(order, dims.length).map((axis) => dims[axis]),
  );
};

export const squeeze: Rule = (at) => {
  const dims = at.dims(0);
  const axes = at.has(1)
    ? at.axes(at.numbers(1), dims.length)
    : [...dims.keys()].filter((axis) => dims[axis] === 1);
  const wide = axes.find((axis) => dims[axis] !== 1);
  if (wide !== undefined) at.fail('invalid', `axis ${wide} of ${dimsText(dims)} is not 1`);
  return one(
    at.type(0),
    dims.filter((_, axis) => !axes.includes(axis)),
  );
};

export const unsqueeze: Rule = (at) => {
  const given = at.numbers(1);
  const rest = [...at.dims(0)];
  const rank = rest.length + given.length;
  const axes = at.axes(given, rank);
  const dims = Array.from({ length: rank }, (_, axis) => (axes.includes(axis) ? 1 : rest.shift()!));
  return one(at.type(0), dims);
};

function blocked(at: Site, spread: boolean): Dim[] {
  at.rank(0, 4);
  const [batch, ...rest] = at.dims(0);
  const [channels, height, width] = rest.map((dim) => at.fixed(dim, 'an axis'));
  const block = at.int('blocksize');
  const fits = spread ? channels % block ** 2 === 0 : height % block === 0 && width % block === 0;
  if (block < 1 || !fits) at.fail('invalid', `blocks of ${block} in ${dimsText(at.dims(0))}`);
  return spread
    ? [batch, channels / block ** 2, height * block, width * block]
    : [batch, channels * block ** 2, height / block, width / block];
}

export const depthToSpace: Rule = (at) => one(at.type(0), blocked(at, true));
export const spaceToDepth: Rule = (at) => one(at.type(0), blocked(at, false));

/** A square or batch of squares; the shape stays. */
export const trilu: Rule = (at) => {
  at.rank(0, 2, 32);
  return [at.input(0)];
};
