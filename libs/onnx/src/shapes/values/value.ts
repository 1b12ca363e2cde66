/**
 * Elements of a tensor as far as they are known before running: what a shape is computed from, and what folds
 * into constants. Floats stand rounded to their type; bool as 0 and 1.
 */
import type { Dim, ElementType, Tensor, TensorData } from '../../graph.js';
import { isFixed } from '../dims.js';

/** A number, a multiple of the batch size N, or not known. */
export type Entry = Dim | undefined;

export interface Value {
  readonly type: ElementType;
  /** Never depends on N: elements of a tensor that grows with the batch are not tracked. */
  readonly dims: readonly number[];
  readonly entries: ArrayLike<Entry>;
}

const MADE_OF = {
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  bool: Uint8Array,
} as const;

const isNarrow = (type: ElementType): type is keyof typeof MADE_OF => type in MADE_OF;

/** Room for that many numbers of a type; 64-bit integers stand as floats, exact up to 2^53. */
export const numbersOf = (type: ElementType, count: number) =>
  isNarrow(type) ? new MADE_OF[type](count) : new Float64Array(count);

/** The constant's elements; undefined for the types that are not computed with (half floats, strings). */
export function valueOf({ type, dims, data }: Tensor): Value | undefined {
  if (data instanceof BigInt64Array || data instanceof BigUint64Array)
    return { type, dims, entries: Float64Array.from(data, Number) };
  return isNarrow(type) ? { type, dims, entries: data } : undefined;
}

const LARGEST_INT64 = 2n ** 63n - 1n;

function int64(entries: ArrayLike<number>): BigInt64Array | undefined {
  const data = new BigInt64Array(entries.length);
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i];
    // 2^63 is how the largest int64, "to the end" in Slice, looks as a number.
    if (entry === 2 ** 63) data[i] = LARGEST_INT64;
    else if (Number.isSafeInteger(entry) || entry === -(2 ** 63)) data[i] = BigInt(entry);
    else return undefined;
  }
  return data;
}

/** The value as a constant, where every element is an exact number of its type. */
export function tensorOf({ type, dims, entries }: Value): Tensor | undefined {
  const numbers = allFixed(entries);
  if (numbers === undefined) return undefined;
  let data: TensorData | undefined;
  if (type === 'int64') data = int64(numbers);
  else if (isNarrow(type)) data = numbers instanceof MADE_OF[type] ? numbers : MADE_OF[type].from(numbers);
  return data && { type, dims, data };
}

/** The entries as plain numbers, or undefined if one is unknown or depends on N. */
export function allFixed(entries: ArrayLike<Entry>): ArrayLike<number> | undefined {
  if (ArrayBuffer.isView(entries)) return entries as unknown as ArrayLike<number>;
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i];
    if (entry === undefined || !isFixed(entry)) return undefined;
  }
  return entries as ArrayLike<number>;
}

export const isFloat = (type: ElementType): boolean => type.includes('float');
