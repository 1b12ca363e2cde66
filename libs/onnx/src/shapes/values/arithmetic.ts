/** Elements of elementwise operators, Where, Cast and the reductions. */
import type { ElementType, TensorInfo } from '../../graph.js';
import { isFixed, perSample } from '../dims.js';
import { reducedAxes } from '../reduction.js';
import type { Site } from '../site.js';
import { BINARY, KEEPS_MULTIPLES, UNARY } from './entry.js';
import { broadcastStrides, offsets, stridesOf } from './strides.js';
import { allFixed, isFloat, numbersOf, type Entry, type Value } from './value.js';

export type Evaluator = (at: Site, outputs: readonly TensorInfo[]) => Value | undefined;

const WRAPS: Readonly<Partial<Record<ElementType, (x: number) => number>>> = {
  float32: Math.fround,
  float64: (x) => x,
  int8: (x) => (x << 24) >> 24,
  int16: (x) => (x << 16) >> 16,
  int32: (x) => x | 0,
  int64: (x) => (Number.isSafeInteger(x) || Math.abs(x) === 2 ** 63 ? x : Number.NaN),
  uint8: (x) => x & 0xff,
  uint16: (x) => x & 0xffff,
  uint32: (x) => x >>> 0,
  bool: (x) => Number(x !== 0),
};

/** Rounds or wraps to the type; undefined for types that are not computed with and for numbers past 2^53. */
function fitted(entry: Entry, type: ElementType): Entry {
  if (entry === undefined || !isFixed(entry)) return entry;
  const wrapped = WRAPS[type]?.(entry);
  return wrapped !== undefined && (isFloat(type) || Number.isInteger(wrapped)) ? wrapped : undefined;
}

/** Applies `map` place by place; `dims` are all inputs' dims broadcast. */
function mapped(
  type: ElementType,
  dims: readonly number[],
  inputs: readonly Value[],
  map: (...entries: Entry[]) => Entry,
): Value {
  const views = inputs.map((input) => offsets(dims, broadcastStrides(input.dims, dims)));
  const count = dims.reduce((total, dim) => total * dim, 1);
  const entries = new Array<Entry>(count);
  for (let i = 0; i < count; i++)
    entries[i] = fitted(map(...inputs.map((input, j) => input.entries[views[j][i]])), type);
  return { type, dims, entries };
}

/** The loop for plain numbers, which weights need to be fast. */
function mappedNumbers(
  type: ElementType,
  dims: readonly number[],
  [a, b]: readonly Value[],
  map: (a: number, b: number) => number,
): Value | undefined {
  const left = allFixed(a.entries);
  const right = allFixed(b.entries);
  const wrap = WRAPS[type];
  if (left === undefined || right === undefined || wrap === undefined) return undefined;
  const atLeft = offsets(dims, broadcastStrides(a.dims, dims));
  const atRight = offsets(dims, broadcastStrides(b.dims, dims));
  const entries = numbersOf(type, atLeft.length);
  for (let i = 0; i < entries.length; i++) {
    const result = wrap(map(left[atLeft[i]], right[atRight[i]]));
    if (!isFloat(type) && !Number.isInteger(result)) return undefined;
    entries[i] = result;
  }
  return { type, dims, entries };
}

function fixedDims({ dims }: TensorInfo): number[] | undefined {
  return dims.every(isFixed) ? (dims as number[]) : undefined;
}

function allValues(at: Site): Value[] | undefined {
  const values = at.node.inputs.map((_, index) => at.value(index));
  return values.every((value) => value !== undefined) ? values : undefined;
}

export const binary: Evaluator = (at, [output]) => {
  const { numbers, whole, multiples } = BINARY[at.node.op];
  const values = allValues(at);
  const dims = fixedDims(output);
  if (values === undefined || dims === undefined || values.length === 0) return undefined;
  const isWhole = !isFloat(values[0].type);
  const onNumbers = isWhole && whole && !(at.node.op === 'Mod' && at.int('fmod', 0) !== 0) ? whole : numbers;
  if (isWhole && (at.node.op === 'Div' || at.node.op === 'Mod')) {
    const divisors = values[1].entries;
    for (let i = 0; i < divisors.length; i++)
      if (divisors[i] === 0) at.fail('invalid', 'divides an integer by 0');
  }
  const pair = (a: Entry, b: Entry): Entry => {
    if (a === undefined || b === undefined) return undefined;
    return isFixed(a) && isFixed(b) ? onNumbers(a, b) : multiples?.(a, b, isWhole);
  };
  if (values.length === 2) {
    const fast = mappedNumbers(output.type, dims, values, onNumbers);
    if (fast) return fast;
  }
  return mapped(output.type, dims, values, (...entries) => entries.reduce(pair));
};

export const unary: Evaluator = (at, [output]) => {
  const value = at.value(0);
  const dims = fixedDims(output);
  const onNumbers = UNARY[at.node.op];
  if (value === undefined || dims === undefined) return undefined;
  return mapped(output.type, dims, [value], (entry) => {
    if (entry === undefined) return undefined;
    if (isFixed(entry)) return onNumbers(entry);
    if (at.node.op === 'Neg') return perSample(-entry.perSample);
    return KEEPS_MULTIPLES.has(at.node.op) && Number.isInteger(entry.perSample) && entry.perSample > 0
      ? entry
      : undefined;
  });
};

export const cast: Evaluator = (at, [output]) => {
  const value = at.value(0);
  const dims = fixedDims(output);
  if (value === undefined || dims === undefined) return undefined;
  const truncates = !isFloat(output.type) && output.type !== 'bool';
  return mapped(output.type, dims, [value], (entry) => {
    if (entry === undefined) return undefined;
    if (isFixed(entry)) return truncates ? Math.trunc(entry) : entry;
    if (output.type === 'bool') return 1;
    return Number.isInteger(entry.perSample) || !truncates ? entry : undefined;
  });
};

export const where: Evaluator = (at, [output]) => {
  const values = allValues(at);
  const dims = fixedDims(output);
  if (values === undefined || dims === undefined) return undefined;
  return mapped(output.type, dims, values, (condition, yes, no) =>
    condition === undefined ? undefined : condition === 0 ? no : yes,
  );
};

/** Folds over the reduced axes; the start is the operator's neutral element. */
const REDUCTIONS: Readonly<Record<string, { op: string; start: number }>> = {
  ReduceProd: { op: 'Mul', start: 1 },
  ReduceSum: { op: 'Add', start: 0 },
  ReduceMean: { op: 'Add', start: 0 },
  ReduceMax: { op: 'Max', start: -Infinity },
  ReduceMin: { op: 'Min', start: Infinity },
};

export const reduce: Evaluator = (at, [output]) => {
  const value = at.value(0);
  const dims = fixedDims(output);
  if (value === undefined || dims === undefined) return undefined;
  const { op, start } = REDUCTIONS[at.node.op];
  const { numbers, multiples } = BINARY[op];
  const axes = reducedAxes(at);
  const kept = value.dims.map((dim, axis) => (axes.has(axis) ? 1 : dim));
  const places = stridesOf(kept).map((stride, axis) => (axes.has(axis) ? 0 : stride));
  const target = offsets(value.dims, places);
  const count = dims.reduce((total, dim) => total * dim, 1);
  const entries = new Array<Entry>(count).fill(start);
  for (let i = 0; i < target.length; i++) {
    const sum = entries[target[i]];
    const entry = value.entries[i];
    if (sum === undefined || entry === undefined) entries[target[i]] = undefined;
    else if (isFixed(sum) && isFixed(entry)) entries[target[i]] = numbers(sum, entry);
    else entries[target[i]] = Math.abs(sum as number) === Infinity ? entry : multiples?.(sum, entry, true);
  }
  const each = at.node.op === 'ReduceMean' ? count / target.length : 1;
  return {
    type: output.type,
    dims,
    entries: entries.map((entry) =>
      fitted(
        each === 1 || entry === undefined ? entry : isFixed(entry) ? entry * each : undefined,
        output.type,
      ),
    ),
  };
};
