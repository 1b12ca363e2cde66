/** Operators on 8-bit integers and the steps between them and floats. */
import { convolved } from './convolution.js';
import type { TensorInfo } from '../graph.js';
import { broadcastOf, elementTypeOf } from './elementwise.js';
import { gemm, multiplied } from './matmul.js';
import { globalPool, pool } from './pooling.js';
import { one, type Rule, Site } from './site.js';
import { concat } from './slicing.js';

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

/** Both inputs with scale and zero point, then those of the output: ONNX Runtime's QLinearAdd and QLinearMul. */
export const qLinearBinary: Rule = (at) => one(at.type(0), broadcastOf(at, [at.dims(0), at.dims(3)]));

export const qLinearUnary: Rule = (at) => [at.input(0)];

/** What the operator on floats gives, where channels are the second axis. */
const channelsFirst =
  (rule: Rule): Rule =>
  (at) =>
    at.int('channels_last', 0) === 0 ? rule(at) : at.fail('unsupported', 'has its channels last');

export const qLinearPool: Rule = channelsFirst(pool);
export const qLinearGlobalPool: Rule = channelsFirst(globalPool);

/** A rule that stands at some of the node's inputs. */
const atInputs =
  (rule: Rule, select: (at: Site) => readonly number[]): Rule =>
  (at) => {
    const kept = select(at).filter((index) => at.has(index));
    const node = { ...at.node, inputs: kept.map((index) => at.node.inputs[index]) };
    return rule(
      new Site(
        node,
        kept.map((index) => at.inputs[index]),
        (index) => at.value(kept[index]),
      ),
    );
  };

/** Scale and zero point of the output, then each part with its own. */
export const qLinearConcat: Rule = atInputs(concat, ({ inputs }) =>
  inputs.flatMap((_, index) => (index >= 2 && index % 3 === 2 ? [index] : [])),
);

/** Floats come out unless the output has a scale. */
export const qGemm: Rule = (at) => {
  const [{ dims }] = atInputs(gemm, () => [0, 3, 6])(at) as readonly [TensorInfo];
  return one(at.has(7) ? at.type(0) : 'float32', dims);
};

/** Dynamic quantisation, product and dequantisation in one node: floats come out. */
export const matMulToFloat: Rule = (at) => one('float32', multiplied(at, at.dims(0), at.dims(1)));
