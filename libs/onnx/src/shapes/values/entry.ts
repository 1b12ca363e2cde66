/**
 * Arithmetic of single elements. On numbers it is the operator's own; with multiples of the batch size N >= 1 it
 * gives what holds at every N, and undefined where there is no such answer.
 */
import { isFixed, perSample, plus, times } from '../dims.js';
import type { Entry } from './value.js';

type Known = Exclude<Entry, undefined>;
type Binary = (a: number, b: number) => number;

const factor = (entry: Known): number => (isFixed(entry) ? Number.NaN : entry.perSample);

/** a - b where b is a multiple of N, or a is. */
const minus = (a: Known, b: Known): Entry => plus(a, isFixed(b) ? -b : perSample(-b.perSample));

function quotient(a: Known, b: Known, whole: boolean): Entry {
  if (!isFixed(a) && !isFixed(b)) {
    const ratio = factor(a) / factor(b);
    return whole ? Math.trunc(ratio) : ratio;
  }
  if (!isFixed(a) && isFixed(b)) {
    const k = factor(a) / b;
    return whole && !Number.isInteger(k) ? undefined : perSample(k);
  }
  return a === 0 ? 0 : undefined;
}

function remainder(a: Known, b: Known): Entry {
  const rest = pythonMod(factor(a), isFixed(b) ? b : factor(b));
  if (Number.isNaN(rest)) return undefined;
  if (!isFixed(b)) return perSample(rest);
  return rest === 0 ? 0 : undefined;
}

/** -1, 0 or 1 as a is less than, equal to or greater than b at every N; undefined if that depends on N. */
function order(a: Known, b: Known): number | undefined {
  if (isFixed(a) && isFixed(b)) return Math.sign(a - b);
  if (!isFixed(a) && !isFixed(b)) return Math.sign(a.perSample - b.perSample);
  if (isFixed(a)) {
    const turned = order(b, a);
    return turned === undefined ? undefined : -turned;
  }
  // Away from 0 with N: what k exceeds, kN exceeds; and the other way round below 0.
  const k = factor(a);
  if (k > 0) return k > (b as number) ? 1 : undefined;
  return k < (b as number) ? -1 : undefined;
}

function compare(a: Known, b: Known, test: (order: number) => boolean): Entry {
  const known = order(a, b);
  return known === undefined ? undefined : Number(test(known));
}

function equal(a: Known, b: Known): Entry {
  const known = order(a, b);
  if (known !== undefined) return Number(known === 0);
  const [multiple, fixed] = isFixed(a) ? [b, a] : [a, b as number];
  return fixed % factor(multiple) === 0 ? undefined : 0;
}

function extreme(a: Known, b: Known, sign: number): Entry {
  const known = order(a, b);
  if (known === undefined) return undefined;
  return known * sign >= 0 ? a : b;
}

/** Python's remainder for integers (the sign of the divisor), C's with fmod. */
export const pythonMod: Binary = (a, b) => a - Math.floor(a / b) * b;

/** By operator: what it does to numbers, and to entries of which one is a multiple of N. */
export const BINARY: Readonly<
  Record<
    string,
    { numbers: Binary; whole?: Binary; multiples?: (a: Known, b: Known, whole: boolean) => Entry }
  >
> = {
  Add: { numbers: (a, b) => a + b, multiples: plus },
  Sub: { numbers: (a, b) => a - b, multiples: minus },
  Mul: { numbers: (a, b) => a * b, multiples: times },
  Div: { numbers: (a, b) => a / b, whole: (a, b) => Math.trunc(a / b), multiples: quotient },
  Mod: { numbers: (a, b) => a % b, whole: pythonMod, multiples: remainder },
  Pow: { numbers: (a, b) => a ** b },
  Min: { numbers: Math.min, multiples: (a, b) => extreme(a, b, -1) },
  Max: { numbers: Math.max, multiples: (a, b) => extreme(a, b, 1) },
  And: { numbers: (a, b) => a & b },
  Or: { numbers: (a, b) => a | b },
  Xor: { numbers: (a, b) => a ^ b },
  Equal: { numbers: (a, b) => Number(a === b), multiples: equal },
  Less: { numbers: (a, b) => Number(a < b), multiples: (a, b) => compare(a, b, (o) => o < 0) },
  LessOrEqual: { numbers: (a, b) => Number(a <= b), multiples: (a, b) => compare(a, b, (o) => o <= 0) },
  Greater: { numbers: (a, b) => Number(a > b), multiples: (a, b) => compare(a, b, (o) => o > 0) },
  GreaterOrEqual: { numbers: (a, b) => Number(a >= b), multiples: (a, b) => compare(a, b, (o) => o >= 0) },
};

const roundHalfToEven = (x: number): number => {
  const below = Math.floor(x);
  if (x - below !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
};

export const UNARY: Readonly<Record<string, (x: number) => number>> = {
  Abs: Math.abs,
  Ceil: Math.ceil,
  Cos: Math.cos,
  Exp: Math.exp,
  Floor: Math.floor,
  Identity: (x) => x,
  Log: Math.log,
  Neg: (x) => -x,
  Not: (x) => 1 - x,
  Reciprocal: (x) => 1 / x,
  Relu: (x) => Math.max(x, 0),
  Round: roundHalfToEven,
  Sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  Sign: Math.sign,
  Sin: Math.sin,
  Sqrt: Math.sqrt,
  Tanh: Math.tanh,
};

/** Operators that leave k x N as it is where k is whole. */
export const KEEPS_MULTIPLES: ReadonlySet<string> = new Set([
  'Abs',
  'Ceil',
  'Floor',
  'Identity',
  'Relu',
  'Round',
]);
