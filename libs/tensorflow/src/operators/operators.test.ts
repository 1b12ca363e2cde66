/**
 * One row per form of every operator, against ONNX Runtime and against differences along a direction. Long because
 * the table is: it is the list of what this backend can do.
 */
import {
  float,
  floats,
  GraphBuilder,
  ModelError,
  tensorF32,
  tensorI64,
  type AttributeInput,
  type Graph,
  type Tensor,
} from '@facet/onnx';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { execute } from '../execute.js';
import { gradientOf } from '../gradient.js';
import {
  distinct,
  largestDifference,
  runSession,
  sessionOf,
  toTf,
  type Fed,
} from '../onnxruntime.fixture.js';
import { OPERATORS } from './index.js';

/** An input of this shape, a constant, or an optional input that is left out. */
type Input = readonly number[] | Tensor | null;

interface Case {
  readonly name?: string;
  readonly op: string;
  readonly inputs: readonly Input[];
  readonly attributes?: Readonly<Record<string, AttributeInput>>;
  readonly outputs?: number;
  readonly opset?: number;
  /** The values of all inputs are moved above 0. */
  readonly positive?: boolean;
  /** False where there is none, or none that means anything. */
  readonly differentiable?: boolean;
}

const MAP = [2, 3, 6, 5];
const i64 = tensorI64;
const f32 = (values: readonly number[], dims = [values.length]): Tensor => tensorF32(dims, values);
const weights = (...dims: number[]): Tensor =>
  tensorF32(
    dims,
    distinct(
      dims.reduce((a, b) => a * b, 1),
      7,
      0.02,
    ),
  );
const bool = (values: readonly number[], dims: readonly number[]): Tensor => ({
  type: 'bool',
  dims,
  data: Uint8Array.from(values),
});

const pointwise = (op: string, attributes?: Case['attributes'], opset?: number): Case => ({
  op,
  inputs: [MAP],
  attributes,
  opset,
});
const conv = (
  name: string,
  x: readonly number[],
  w: readonly number[],
  attributes: Case['attributes'],
  op = 'Conv',
): Case => ({
  name,
  op,
  inputs: [x, w, [op === 'Conv' ? w[0] : w[1] * Number(attributes?.['group'] ?? 1)]],
  attributes,
});
const pool = (name: string, op: string, attributes: Case['attributes'], x = MAP): Case => ({
  name,
  op,
  inputs: [x],
  attributes,
});
const resize = (name: string, scales: readonly number[], attributes: Case['attributes']): Case => ({
  name,
  op: 'Resize',
  inputs: [MAP, null, f32(scales)],
  attributes,
});

const CASES: readonly Case[] = [
  pointwise('Identity'),
  pointwise('Dropout'),
  pointwise('Relu'),
  pointwise('LeakyRelu', { alpha: 0.2 }),
  pointwise('Elu', { alpha: float(0.7) }),
  pointwise('Tanh'),
  pointwise('Sigmoid'),
  pointwise('HardSigmoid', { alpha: float(0.3), beta: float(0.4) }),
  pointwise('HardSwish'),
  pointwise('Softplus'),
  pointwise('Gelu', {}, 20),
  pointwise('Gelu', { approximate: 'tanh' }, 20),
  pointwise('Erf'),
  pointwise('Exp'),
  pointwise('Neg'),
  pointwise('Abs'),
  { op: 'Log', inputs: [MAP], positive: true },
  { op: 'Sqrt', inputs: [MAP], positive: true },
  { op: 'Reciprocal', inputs: [MAP], positive: true },
  { op: 'Clip', inputs: [MAP, f32([-0.484], []), f32([0.716], [])] },
  { name: 'no lower bound', op: 'Clip', inputs: [MAP, null, f32([0.716], [])] },
  { name: 'per channel', op: 'PRelu', inputs: [MAP, [3, 1, 1]] },
  { name: 'one slope', op: 'PRelu', inputs: [MAP, [1]] },
  { name: 'rank 2', op: 'PRelu', inputs: [[4, 5], [5]] },

  { op: 'Add', inputs: [MAP, MAP] },
  { name: 'per channel', op: 'Add', inputs: [MAP, [3, 1, 1]] },
  {
    name: 'both ways',
    op: 'Sub',
    inputs: [
      [2, 1, 4],
      [3, 1],
    ],
  },
  { name: 'scalar', op: 'Mul', inputs: [MAP, []] },
  { op: 'Div', inputs: [MAP, [2, 3, 1, 1]], positive: true },
  { op: 'Pow', inputs: [MAP, f32([3], [])] },
  { name: 'fraction', op: 'Pow', inputs: [MAP, f32([1.5], [])], positive: true },
  { op: 'Min', inputs: [[4, 5], [5]] },
  { op: 'Max', inputs: [[4, 5], [4, 1], []] },
  { op: 'Sum', inputs: [[4, 5], [4, 1], [5]] },
  { op: 'Mean', inputs: [[4, 5], [4, 1], [5]] },
  { op: 'Where', inputs: [bool([1, 0, 0, 1, 1], [5]), [4, 5], [4, 1]] },
  { op: 'Greater', inputs: [[4, 5], [5]], differentiable: false },
  { op: 'GreaterOrEqual', inputs: [[4, 5], f32([0.1], [])], differentiable: false },
  { op: 'Less', inputs: [[4, 5], f32([0.1], [])], differentiable: false },
  { op: 'Equal', inputs: [i64([1, 2, 3]), i64([3, 2, 1])], differentiable: false },
  { op: 'And', inputs: [bool([1, 0, 1], [3]), bool([1, 1, 0], [3])], differentiable: false },
  { op: 'Or', inputs: [bool([1, 0, 0], [3]), bool([1, 1, 0], [3])], differentiable: false },
  { op: 'Not', inputs: [bool([1, 0, 0], [3])], differentiable: false },
  { op: 'Mod', inputs: [i64([7, -7, 5]), i64([3, 3, -3])], differentiable: false },
  { op: 'LessOrEqual', inputs: [[4, 5], [5]], differentiable: false },

  { name: 'vectors', op: 'MatMul', inputs: [[4], [4]] },
  {
    name: 'by a matrix',
    op: 'MatMul',
    inputs: [
      [2, 3, 4],
      [4, 5],
    ],
  },
  {
    name: 'batched',
    op: 'MatMul',
    inputs: [
      [2, 3, 4, 5],
      [2, 3, 5, 4],
    ],
  },
  {
    name: 'broadcast',
    op: 'MatMul',
    inputs: [
      [2, 1, 4, 5],
      [3, 5, 2],
    ],
  },
  { op: 'Gemm', inputs: [[4, 5], [5, 3], [3]] },
  {
    name: 'transposed',
    op: 'Gemm',
    inputs: [[5, 4], [3, 5], [1]],
    attributes: { transA: 1, transB: 1, alpha: float(0.5), beta: float(2) },
  },

  conv('plain', MAP, [4, 3, 3, 3], {}),
  conv('padded, strided', MAP, [4, 3, 3, 3], { pads: [1, 1, 1, 1], strides: [2, 2] }),
  conv('uneven pads and strides', MAP, [4, 3, 3, 2], { pads: [0, 1, 2, 0], strides: [2, 1] }),
  conv('dilated', MAP, [4, 3, 3, 2], { dilations: [2, 3], pads: [2, 2, 2, 2] }),
  conv('grouped', [2, 4, 5, 5], [6, 2, 3, 3], { group: 2, pads: [1, 1, 1, 1] }),
  conv('depthwise', MAP, [3, 1, 3, 3], { group: 3, pads: [1, 1, 1, 1], strides: [2, 2] }),
  conv('depthwise, multiplied', MAP, [6, 1, 3, 3], { group: 3, pads: [1, 1, 1, 1] }),
  conv('depthwise, uneven strides', MAP, [3, 1, 3, 3], { group: 3, strides: [1, 2] }),
  conv('depthwise, dilated', MAP, [3, 1, 3, 3], { group: 3, dilations: [2, 2], pads: [2, 2, 2, 2] }),
  conv('same', MAP, [4, 3, 3, 3], { auto_pad: 'SAME_UPPER', strides: [2, 2] }),
  conv('same, lower', MAP, [4, 3, 2, 2], { auto_pad: 'SAME_LOWER' }),
  conv(
    'transposed',
    MAP,
    [3, 4, 3, 3],
    { strides: [2, 2], pads: [1, 1, 1, 1], output_padding: [1, 1] },
    'ConvTranspose',
  ),
  conv('transposed, grouped', [2, 4, 3, 3], [4, 2, 2, 2], { group: 2, strides: [2, 2] }, 'ConvTranspose'),
  conv('transposed, dilated', MAP, [3, 2, 2, 2], { dilations: [2, 2], pads: [0, 1, 1, 0] }, 'ConvTranspose'),

  pool('2x2', 'MaxPool', { kernel_shape: [2, 2], strides: [2, 2] }),
  pool('uneven pads', 'MaxPool', { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 0, 0, 1] }),
  pool('ceil', 'MaxPool', { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }),
  pool('ceil, padded', 'MaxPool', {
    kernel_shape: [2, 2],
    strides: [3, 3],
    pads: [1, 1, 1, 1],
    ceil_mode: 1,
  }),
  pool('2x2', 'AveragePool', { kernel_shape: [2, 2], strides: [2, 2] }),
  pool('padded', 'AveragePool', { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 0, 0, 1] }),
  pool('pads count', 'AveragePool', { kernel_shape: [3, 3], pads: [1, 1, 1, 1], count_include_pad: 1 }),
  pool('ceil', 'AveragePool', { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }),
  pool('rank 4', 'GlobalAveragePool', {}),
  pool('rank 3', 'GlobalAveragePool', {}, [2, 3, 7]),
  pool('rank 4', 'GlobalMaxPool', {}),

  {
    op: 'BatchNormalization',
    inputs: [MAP, [3], [3], [3], f32([0.5, 1, 2])],
    attributes: { epsilon: float(1e-3) },
  },
  { name: 'rank 2', op: 'BatchNormalization', inputs: [[4, 3], [3], [3], [3], f32([0.5, 1, 2])] },
  { op: 'InstanceNormalization', inputs: [MAP, [3], [3]], attributes: { epsilon: float(1e-3) } },
  { op: 'LayerNormalization', inputs: [[2, 4, 6], [6], [6]] },
  {
    name: 'two axes',
    op: 'LayerNormalization',
    inputs: [
      [2, 4, 6],
      [4, 6],
    ],
    attributes: { axis: -2, epsilon: float(1e-3) },
    outputs: 3,
  },

  { op: 'ReduceMean', inputs: [MAP, i64([2, -1])] },
  { name: 'all', op: 'ReduceMean', inputs: [MAP], attributes: { keepdims: 0 } },
  { op: 'ReduceSum', inputs: [MAP, i64([1])], attributes: { keepdims: 0 } },
  { name: 'no axes', op: 'ReduceSum', inputs: [MAP, i64([])], attributes: { noop_with_empty_axes: 1 } },
  { op: 'ReduceMax', inputs: [MAP, i64([1, 2])] },
  { op: 'ReduceMin', inputs: [MAP, i64([3])] },
  { op: 'ReduceL2', inputs: [MAP, i64([1])] },
  { op: 'ReduceSumSquare', inputs: [MAP, i64([1])] },
  { op: 'Softmax', inputs: [[4, 5]] },
  { name: 'inner axis', op: 'Softmax', inputs: [MAP], attributes: { axis: 1 } },
  { op: 'LogSoftmax', inputs: [[4, 5]], attributes: { axis: 0 } },

  { op: 'Reshape', inputs: [MAP, i64([0, -1, 5])] },
  { op: 'Flatten', inputs: [MAP], attributes: { axis: 2 } },
  { op: 'Squeeze', inputs: [[2, 1, 3, 1], i64([-1])] },
  { name: 'all', op: 'Squeeze', inputs: [[2, 1, 3, 1]] },
  { op: 'Unsqueeze', inputs: [[2, 3], i64([0, -1])] },
  { op: 'Transpose', inputs: [[2, 3, 4]] },
  { name: 'perm', op: 'Transpose', inputs: [MAP], attributes: { perm: [2, 0, 3, 1] } },
  { op: 'Expand', inputs: [[3, 1], i64([2, 1, 4])] },
  { op: 'Tile', inputs: [[2, 3], i64([2, 3])] },
  { op: 'DepthToSpace', inputs: [[2, 8, 2, 3]], attributes: { blocksize: 2 } },
  { name: 'CRD', op: 'DepthToSpace', inputs: [[2, 8, 2, 3]], attributes: { blocksize: 2, mode: 'CRD' } },
  { op: 'SpaceToDepth', inputs: [[2, 3, 4, 6]], attributes: { blocksize: 2 } },
  { name: 'to integers', op: 'Cast', inputs: [[4, 5]], attributes: { to: 7 }, differentiable: false },
  { op: 'Shape', inputs: [MAP], differentiable: false },
  { name: 'part', op: 'Shape', inputs: [MAP], attributes: { start: 1, end: -1 }, differentiable: false },
  { op: 'Constant', inputs: [], attributes: { value: f32([1, 2, 3]) }, differentiable: false },
  { op: 'ConstantOfShape', inputs: [i64([2, 3])], attributes: { value: f32([0.5]) }, differentiable: false },
  { op: 'Range', inputs: [i64([1], []), i64([8], []), i64([3], [])], differentiable: false },

  { op: 'Concat', inputs: [MAP, [2, 1, 6, 5]], attributes: { axis: 1 } },
  { op: 'Split', inputs: [MAP, i64([1, 2])], attributes: { axis: 1 }, outputs: 2 },
  { name: 'even', op: 'Split', inputs: [[7, 2]], attributes: { num_outputs: 3 }, outputs: 3 },
  { op: 'Slice', inputs: [MAP, i64([1, -3]), i64([9223372036854775000, -1]), i64([1, 2])] },
  { name: 'steps', op: 'Slice', inputs: [MAP, i64([1, 0]), i64([6, 5]), i64([2, 3]), i64([2, 3])] },
  {
    name: 'backwards',
    op: 'Slice',
    inputs: [MAP, i64([-1]), i64([-9223372036854775000]), i64([2]), i64([-2])],
  },
  { op: 'Gather', inputs: [MAP, i64([0, -1, 0])], attributes: { axis: 2 } },
  { name: 'scalar', op: 'Gather', inputs: [MAP, i64([-1], [])], attributes: { axis: 1 } },
  { name: 'matrix', op: 'Gather', inputs: [[5, 2], i64([0, 1, 4, 1], [2, 2])] },
  { op: 'Pad', inputs: [MAP, i64([0, 0, 1, 2, 0, 0, 2, 0]), f32([0.5], [])] },
  { name: 'negative', op: 'Pad', inputs: [MAP, i64([0, 0, -1, 1, 0, 0, 2, -2])] },
  { name: 'axes', op: 'Pad', inputs: [MAP, i64([1, 2]), null, i64([-1])] },
  {
    name: 'reflect',
    op: 'Pad',
    inputs: [MAP, i64([0, 0, 2, 3, 0, 0, 1, 4])],
    attributes: { mode: 'reflect' },
  },
  { name: 'edge', op: 'Pad', inputs: [MAP, i64([0, 0, 2, 3, 0, 0, 1, 0])], attributes: { mode: 'edge' } },

  resize('nearest', [1, 1, 2, 2], {
    mode: 'nearest',
    coordinate_transformation_mode: 'asymmetric',
    nearest_mode: 'floor',
  }),
  resize('nearest, half pixel', [1, 1, 1.5, 0.6], { mode: 'nearest' }),
  resize('linear', [1, 1, 2, 3], { mode: 'linear' }),
  resize('linear, smaller', [1, 1, 0.5, 0.7], {
    mode: 'linear',
    coordinate_transformation_mode: 'pytorch_half_pixel',
  }),
  {
    name: 'corners, sizes',
    op: 'Resize',
    inputs: [MAP, null, null, i64([2, 3, 9, 4])],
    attributes: { mode: 'linear', coordinate_transformation_mode: 'align_corners' },
  },
  {
    name: 'axes',
    op: 'Resize',
    inputs: [MAP, null, f32([2, 2])],
    attributes: { mode: 'linear', axes: [2, 3] },
  },
];

const isShape = (input: Input): input is readonly number[] => Array.isArray(input);

function build({ op, inputs, attributes, outputs = 1, positive = false }: Case) {
  const b = new GraphBuilder();
  const feeds: Record<string, Fed> = {};
  const names = inputs.map((input, i) => {
    if (input === null) return '';
    if (!isShape(input)) return b.initializer(`constant${i}`, input);
    const data = distinct(
      input.reduce((a, n) => a * n, 1),
      i + 1,
      0.03 + 0.011 * i,
    );
    feeds[`x${i}`] = { dims: input, data: positive ? data.map((value) => Math.abs(value) + 0.4) : data };
    return b.input(`x${i}`, 'float32', input);
  });
  const made = Array.from({ length: outputs }, (_, i) => `y${i}`);
  b.nodes(op, names, attributes ?? {}, made);
  return { graph: b.build('case'), feeds, made };
}

/** The graph with its outputs declared as TensorFlow made them: ONNX Runtime refuses wrong shapes. */
const declared = (graph: Graph, op: string, made: Readonly<Record<string, tf.Tensor>>): Graph => ({
  ...graph,
  outputs: Object.entries(made).map(([name, { shape }]) => ({
    name,
    type: /^(Shape|Range|Cast|Mod)$/.test(op)
      ? 'int64'
      : /^(Less|Greater|Equal|And|Or|Not)/.test(op)
        ? 'bool'
        : 'float32',
    dims: shape,
  })),
});

/** sum(weights * y): one number that every element of the outputs moves. */
const weighted = (outputs: Readonly<Record<string, tf.Tensor>>): tf.Tensor =>
  Object.values(outputs)
    .map((y) => tf.sum(tf.mul(y, tf.tensor(distinct(y.size, 11), y.shape))))
    .reduce((a, b) => tf.add(a, b));

const title = ({ op, name }: Case): string => (name === undefined ? op : `${op} (${name})`);

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('every operator against ONNX Runtime', () => {
  it.each(CASES.map((c) => [title(c), c] as const))('%s', async (_, c) => {
    const { graph, feeds, made } = build(c);
    const tensors = Object.fromEntries(Object.entries(feeds).map(([name, fed]) => [name, toTf(tf, fed)]));
    const actual = execute(tf, graph, tensors, made);
    const session = await sessionOf(declared(graph, c.op, actual), c.opset);
    const expected = await runSession(session, feeds);
    for (const name of made) {
      expect(actual[name].shape).toEqual(expected[name].dims);
      expect(largestDifference(actual[name].dataSync(), expected[name].data as Float32Array)).toBeLessThan(
        1e-5,
      );
    }
  });

  it('has a case for each rule', () => {
    const covered = new Set(CASES.map(({ op }) => op));
    expect(Object.keys(OPERATORS).filter((op) => !covered.has(op))).toEqual([]);
  });
});

describe('gradients against directional differences', () => {
  const differentiable = CASES.filter((c) => c.differentiable !== false);
  it.each(differentiable.map((c) => [title(c), c] as const))('%s', (_, c) => {
    const { graph, feeds, made } = build(c);
    const tensors = Object.fromEntries(Object.entries(feeds).map(([name, fed]) => [name, toTf(tf, fed)]));
    for (const name of Object.keys(feeds)) {
      const { gradient } = gradientOf(tf, graph, tensors, name, made, weighted);
      const x = tensors[name];
      const direction = tf.tensor(distinct(x.size, 5, 1 / Math.max(1, x.size)), x.shape);
      const at = (step: number): number =>
        weighted(
          execute(tf, graph, { ...tensors, [name]: tf.add(x, tf.mul(direction, step)) }, made),
        ).dataSync()[0];
      const STEP = 0.01;
      const expected = (at(STEP) - at(-STEP)) / (2 * STEP);
      const actual = tf.sum(tf.mul(gradient, direction)).dataSync()[0];
      expect(gradient.shape).toEqual(x.shape);
      expect(Math.abs(actual - expected)).toBeLessThan(0.01 * Math.max(0.3, Math.abs(expected)));
    }
  });
});

describe('what has no rule', () => {
  const run = (op: string, attributes: Case['attributes'] = {}, outputs = 1): unknown => {
    const { graph, feeds, made } = build({ op, inputs: [MAP], attributes, outputs });
    return execute(tf, graph, { x0: toTf(tf, feeds['x0']) }, made);
  };

  it('is refused by the name of its node and operator', () => {
    expect(() => run('Unique')).toThrow(ModelError);
    expect(() => run('Unique')).toThrow(/y0\/Unique: there is no TensorFlow rule for Unique/);
  });

  it('is refused where only an attribute is unknown', () => {
    expect(() => run('MaxPool', { kernel_shape: [2, 2], dilations: [2, 2] })).toThrow(
      /y0\/MaxPool: MaxPool with dilations/,
    );
    expect(() => run('MaxPool', { kernel_shape: [2, 2] }, 2)).toThrow(/indices/);
    expect(() => run('LeakyRelu', { alpha: floats([1]) })).toThrow(/`alpha` is a float/);
  });
});

it('starts at inner tensors that are fed, and runs nothing that is not wanted', () => {
  const b = new GraphBuilder();
  b.input('x', 'float32', [2]);
  b.node('Unique', ['x'], {}, 'middle');
  b.node('Add', ['middle', b.constant(weights(2))], {}, 'y');
  b.node('Unique', ['y'], {}, 'unwanted');
  const { y } = execute(tf, b.build('g'), { middle: tf.tensor1d([1, 2]) }, ['y']);
  expect(Array.from(y.dataSync())).toEqual(
    [1, 2].map((value, i) => Math.fround(value + (weights(2).data as Float32Array)[i])),
  );
});

it('leaves nothing behind but what was wanted', () => {
  const { graph, feeds, made } = build(CASES.find((c) => c.name === 'grouped')!);
  const tensors = Object.fromEntries(Object.entries(feeds).map(([name, fed]) => [name, toTf(tf, fed)]));
  const before = tf.memory().numTensors;
  execute(tf, graph, tensors, made);
  expect(tf.memory().numTensors).toBe(before + 1);
});
