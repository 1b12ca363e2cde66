/**
 * What each quantised operator computes on real numbers. Dynamic quantisation stands for its input with a scale of
 * 1: what reads the integers is linear in them, and multiplies by the scale later.
 */
import type { AttributeInput } from '../builder.js';
import type { Node } from '../graph.js';
import type { Dequantising, Scaling } from './dequantising.js';

export type Rule = (node: Node, to: Dequantising) => void;

/** The tensor `input` of a node, dequantised by the two inputs behind it or those given. */
function real(
  node: Node,
  to: Dequantising,
  input: number,
  axis = 0,
  scale = input + 1,
  zero = input + 2,
): string {
  return to.dequantise(node.inputs[input], scalingOf(node, scale, zero, axis));
}

const scalingOf = (node: Node, scale: number, zero: number, axis = 0): Scaling => ({
  scale: node.inputs[scale] ?? '',
  zero: node.inputs[zero] ?? '',
  axis,
});

function int(node: Node, name: string, otherwise: number): number {
  const given = node.attributes[name];
  return given?.kind === 'int' ? Number(given.value) : otherwise;
}

function without(node: Node, ...names: readonly string[]): Record<string, AttributeInput> {
  return Object.fromEntries(Object.entries(node.attributes).filter(([name]) => !names.includes(name)));
}

function checkBlocks(node: Node, to: Dequantising): void {
  if (int(node, 'block_size', 0) !== 0) to.refuse(node.outputs[0], 'is quantised in blocks');
}

const quantizeLinear: Rule = (node, to) => {
  checkBlocks(node, to);
  to.quantise(node.outputs[0], to.float(node.inputs[0]), scalingOf(node, 1, 2, int(node, 'axis', 1)));
};

const dequantizeLinear: Rule = (node, to) => {
  checkBlocks(node, to);
  to.give(node.outputs[0], real(node, to, 0, int(node, 'axis', 1)));
};

const dynamicQuantizeLinear: Rule = (node, to) => {
  const [integers, scale = '', zero = ''] = node.outputs;
  to.give(integers, to.float(node.inputs[0]));
  to.give(scale, to.number(1));
  to.give(zero, to.number(0));
};

/** Integers minus their zero points, whose product is an int32. */
const centred = (node: Node, to: Dequantising, input: number, zero: number, axis: number): string =>
  to.dequantise(node.inputs[input], { scale: '', zero: node.inputs[zero] ?? '', axis });

const convInteger: Rule = (node, to) => {
  const inputs = [centred(node, to, 0, 2, 0), centred(node, to, 1, 3, 0)];
  to.give(node.outputs[0], to.emit('Conv', inputs, node.attributes));
};

const matMulInteger: Rule = (node, to) => {
  const inputs = [centred(node, to, 0, 2, -2), centred(node, to, 1, 3, -1)];
  to.give(node.outputs[0], to.emit('MatMul', inputs));
};

/** An int32 bias in units of the product of both scales. */
function biasOf(node: Node, to: Dequantising, input: number, a: number, b: number): string {
  const once = to.dequantise(node.inputs[input], { scale: node.inputs[b], zero: '', axis: 0 });
  return to.emit('Mul', [once, to.float(node.inputs[a])]);
}

const qLinearConv: Rule = (node, to) => {
  const inputs = [real(node, to, 0), real(node, to, 3)];
  if (node.inputs[8]) inputs.push(biasOf(node, to, 8, 1, 4));
  to.quantise(
    node.outputs[0],
    to.emit('Conv', inputs, without(node, 'channels_last')),
    scalingOf(node, 6, 7),
  );
};

const qLinearMatMul: Rule = (node, to) => {
  const product = to.emit('MatMul', [real(node, to, 0, -2), real(node, to, 3, -1)]);
  to.quantise(node.outputs[0], product, scalingOf(node, 6, 7));
};

const qLinearBinary =
  (op: string): Rule =>
  (node, to) =>
    to.quantise(node.outputs[0], to.emit(op, [real(node, to, 0), real(node, to, 3)]), scalingOf(node, 6, 7));

/** x, its scale and zero point, those of the output. */
const qLinearUnary =
  (op: string): Rule =>
  (node, to) => {
    if (int(node, 'channels_last', 0) !== 0) to.refuse(node.outputs[0], 'has its channels last');
    const attributes = without(node, 'channels_last', 'opset');
    to.quantise(node.outputs[0], to.emit(op, [real(node, to, 0)], attributes), scalingOf(node, 3, 4));
  };

const qLinearConcat: Rule = (node, to) => {
  const parts = Array.from({ length: (node.inputs.length - 2) / 3 }, (_, i) => real(node, to, 3 * i + 2));
  to.quantise(node.outputs[0], to.emit('Concat', parts, node.attributes), scalingOf(node, 0, 1));
};

const qGemm: Rule = (node, to) => {
  const columns = int(node, 'transB', 0) !== 0 ? 0 : 1;
  const product = to.emit('Gemm', [real(node, to, 0), real(node, to, 3, columns)], node.attributes);
  // The bias is in units of alpha times both scales.
  const alpha = node.attributes['alpha'];
  const unit = alpha?.kind === 'float' ? alpha.value : 1;
  const bias = node.inputs[6] ? to.emit('Mul', [biasOf(node, to, 6, 1, 4), to.number(unit)]) : undefined;
  const sum = bias === undefined ? product : to.emit('Add', [product, bias]);
  if (node.inputs[7]) to.quantise(node.outputs[0], sum, scalingOf(node, 7, 8));
  else to.give(node.outputs[0], sum);
};

/** A float times dequantised weights; the float is quantised on the way. */
const dynamicQuantizeMatMul: Rule = (node, to) => {
  const product = to.emit('MatMul', [to.float(node.inputs[0]), real(node, to, 1, -1)]);
  to.give(node.outputs[0], node.inputs[4] ? to.emit('Add', [product, to.float(node.inputs[4])]) : product);
};

const matMulIntegerToFloat: Rule = (node, to) => {
  const product = to.emit('MatMul', [real(node, to, 0, -2, 2, 4), real(node, to, 1, -1, 3, 5)]);
  to.give(node.outputs[0], node.inputs[6] ? to.emit('Add', [product, to.float(node.inputs[6])]) : product);
};

/** By operator; those of other domains carry theirs as a prefix. */
export const RULES: ReadonlyMap<string, Rule> = new Map(
  Object.entries({
    QuantizeLinear: quantizeLinear,
    DequantizeLinear: dequantizeLinear,
    DynamicQuantizeLinear: dynamicQuantizeLinear,
    ConvInteger: convInteger,
    MatMulInteger: matMulInteger,
    QLinearConv: qLinearConv,
    QLinearMatMul: qLinearMatMul,
    'com.microsoft:QuantizeLinear': quantizeLinear,
    'com.microsoft:DequantizeLinear': dequantizeLinear,
    'com.microsoft:QLinearAdd': qLinearBinary('Add'),
    'com.microsoft:QLinearMul': qLinearBinary('Mul'),
    'com.microsoft:QLinearSigmoid': qLinearUnary('Sigmoid'),
    'com.microsoft:QLinearLeakyRelu': qLinearUnary('LeakyRelu'),
    'com.microsoft:QLinearAveragePool': qLinearUnary('AveragePool'),
    'com.microsoft:QLinearGlobalAveragePool': qLinearUnary('GlobalAveragePool'),
    'com.microsoft:QLinearConcat': qLinearConcat,
    'com.microsoft:QGemm': qGemm,
    'com.microsoft:DynamicQuantizeMatMul': dynamicQuantizeMatMul,
    'com.microsoft:MatMulIntegerToFloat': matMulIntegerToFloat,
  }),
);
