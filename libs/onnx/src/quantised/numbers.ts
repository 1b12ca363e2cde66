/** Constants of every numeric type as float32, and the integers that a quantised type holds. */
import { tensorF32 } from '../builder.js';
import type { ElementType, Tensor } from '../graph.js';

/** float16 by its bits (IEEE 754 binary16). */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** bfloat16 is the upper half of float32. */
const brain = (bits: Uint16Array): Float32Array =>
  new Float32Array(Uint32Array.from(bits, (b) => b << 16).buffer);

function floatsOf({ type, data }: Tensor): Float32Array {
  if (data instanceof Float32Array) return data;
  if (type === 'float16') return Float32Array.from(data as Uint16Array, half);
  if (type === 'bfloat16') return brain(data as Uint16Array);
  return Float32Array.from(data as ArrayLike<number | bigint>, Number);
}

export const asFloat = (tensor: Tensor): Tensor => tensorF32(tensor.dims, floatsOf(tensor));

export const HALVES: ReadonlySet<ElementType> = new Set(['float16', 'bfloat16']);

/** Least and largest value of the types that numbers are quantised to. */
export const RANGES: Partial<Record<ElementType, readonly [number, number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
};

/** To the nearest integer, halves to the even one, as QuantizeLinear rounds. */
export function rounded(value: number): number {
  const near = Math.round(value);
  return near - value === 0.5 && near % 2 !== 0 ? near - 1 : near;
}

/** The value of a scale or zero point, a single one or a list along `axis`, for each element of a tensor. */
export function along(tensor: Tensor, dims: readonly number[], axis: number): (index: number) => number {
  const { data } = asFloat(tensor);
  if (data.length === 1) return () => Number(data[0]);
  const inner = dims
    .slice(axis < 0 ? axis + dims.length : axis)
    .slice(1)
    .reduce((total, dim) => total * dim, 1);
  return (index) => Number(data[Math.floor(index / inner) % data.length]);
}
