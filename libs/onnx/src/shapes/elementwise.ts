/** Operators that work element by element: the output has the broadcast shape of the inputs. */
import type { Dim, ElementType } from '../graph.js';
import { broadcast, dimsText, sameDims } from './dims.js';
import { one, type Rule, type Site } from './site.js';

export function broadcastOf(at: Site, shapes: readonly (readonly Dim[])[]): Dim[] {
  return (
    broadcast(shapes) ?? at.fail('invalid', `shapes ${shapes.map(dimsText).join(' and ')} do not broadcast`)
  );
}

function sameTypes(at: Site, first: number): ElementType {
  const type = at.type(first);
  const other = at.inputs.slice(first).find((input) => input !== undefined && input.type !== type);
  return other ? at.fail('invalid', `inputs are ${type} and ${other.type}`) : type;
}

const allDims = (at: Site) => at.node.inputs.map((_, i) => at.dims(i));

/** Sigmoid, Clip, Softmax, ...: shape and type of the first input. */
export const unary: Rule = (at) => [at.input(0)];

/** Max, Mean, Min, Sum: any number of inputs of one type. */
export const variadic: Rule = (at) => one(sameTypes(at, 0), broadcastOf(at, allDims(at)));

function requireTwo(at: Site): void {
  if (at.inputs.length !== 2) at.fail('invalid', `has ${at.inputs.length} inputs instead of 2`);
}

/** Add, Mul, ...: two inputs of one type. */
export const broadcasting: Rule = (at) => {
  requireTwo(at);
  return variadic(at);
};

export const comparison: Rule = (at) => {
  requireTwo(at);
  sameTypes(at, 0);
  return one('bool', broadcastOf(at, allDims(at)));
};

export const predicate: Rule = (at) => one('bool', at.dims(0));

/** The exponent may be of another type. */
export const pow: Rule = (at) => one(at.type(0), broadcastOf(at, [at.dims(0), at.dims(1)]));

/** The slope broadcasts to the input, not the other way round. */
export const prelu: Rule = (at) => {
  const dims = broadcastOf(at, [at.dims(0), at.dims(1)]);
  if (!sameDims(dims, at.dims(0)))
    at.fail('invalid', `slope ${dimsText(at.dims(1))} does not fit ${dimsText(at.dims(0))}`);
  return one(at.type(0), dims);
};

export const where: Rule = (at) => {
  if (at.type(0) !== 'bool') at.fail('invalid', `the condition is ${at.type(0)}`);
  return one(sameTypes(at, 1), broadcastOf(at, allDims(at)));
};

/** TensorProto.DataType of the ONNX standard. */
const TYPES: readonly (ElementType | undefined)[] = [
  undefined,
  'float32',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'int32',
  'int64',
  'string',
  'bool',
  'float16',
  'float64',
  'uint32',
  'uint64',
  undefined,
  undefined,
  'bfloat16',
];

export function elementTypeOf(at: Site, code: number): ElementType {
  return TYPES[code] ?? at.fail('unsupported', `element type ${code}`);
}

export const cast: Rule = (at) => one(elementTypeOf(at, at.int('to')), at.dims(0));

export const castLike: Rule = (at) => one(at.type(1), at.dims(0));

/** The mask is the second output. */
export const dropout: Rule = (at) => [at.input(0), { type: 'bool', dims: at.dims(0) }];
