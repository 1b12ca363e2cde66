/** Operators on 8-bit integers and the steps between them and floats. */
import { convolved } from './convolution.js';
import { elementTypeOf } from './elementwise.js';
import { multiplied } from './matmul.js';
import { one, type Rule } from './site.js';

/** The zero point decides the type. */
export const quantizeLinear: Rule = (at) => {
  const declared = at.int('output_dtype', 0);
  const type = at.has(2) ? at.type(2) : declared === 0 ? 'uint8' : elementTypeOf(at, declared);
  return one(type, at.dims(0));
};

export const dequantizeLinear: Rule = (at) => one(at.type(1), at.dims(0));

/** Quantised data, scale and zero point. */
export const dynamicQuantizeLinear: Rule = (at) => [
  { type: 'uint8', dims: at.dims(0) },
  { type: 'float32', dims: [] },
  { type: 'uint8', dims: [] },
];

export const convInteger: Rule = (at) => convolved(at, at.dims(0), at.dims(1), -1, 'int32');

export const matMulInteger: Rule = (at) => one('int32', multiplied(at, at.dims(0), at.dims(1)));

/** x, scale, zero point, w, scale, zero point, scale and zero point of the output, bias. */
export const qLinearConv: Rule = (at) => convolved(at, at.dims(0), at.dims(3), 8, at.type(7));

export const qLinearMatMul: Rule = (at) => one(at.type(7), multiplied(at, at.dims(0), at.dims(3)));
