/** Every operator that has a rule, against ONNX Runtime; over 300 lines because it is one table of them all. */
import { describe, expect, it } from 'vitest';
import { float, floats, type GraphBuilder, modelOf, tensorF32, tensorI64 } from '../builder.js';
import { valueInfo } from '../graph-tools/walk.js';
import type { Dim, Tensor } from '../graph.js';
import { ROWS, Writer } from '../quantised/cases.fixture.js';
import { dimsAt } from './dims.js';
import { inferShapes } from './infer.js';
import { RULES } from './rules.js';
import { feedsFor, graphOf, N, noise, withSession } from './runtime.fixture.js';

type Build = (b: GraphBuilder, x: string, y: string) => string | readonly string[];
interface Case {
  readonly name: string;
  readonly x: readonly Dim[];
  readonly y?: readonly Dim[];
  readonly build: Build;
}

const weight = (b: GraphBuilder, ...dims: number[]) =>
  b.initializer('w', tensorF32(dims, noise(dims.reduce((total, dim) => total * dim, 1))));
const bytes = (type: 'uint8' | 'int8', dims: readonly number[]): Tensor => {
  const data = noise(dims.reduce((total, dim) => total * dim, 1)).map((v) => Math.abs(v) * 100);
  return { type, dims, data: type === 'uint8' ? Uint8Array.from(data) : Int8Array.from(data) };
};
const zero = (b: GraphBuilder, type: 'uint8' | 'int8' = 'uint8') => b.constant(bytes(type, []));

const image: readonly Dim[] = [N, 4, 9, 10];
const rows: readonly Dim[] = [N, 5, 6];
const of = (name: string, x: readonly Dim[], build: Build, y?: readonly Dim[]): Case => ({
  name,
  x,
  y,
  build,
});

const UNARY_OPERATORS = (
  'Abs Ceil Clip Elu Erf Exp Floor HardSigmoid HardSwish Identity LeakyRelu Log LogSoftmax LpNormalization Mish ' +
  'Neg Reciprocal Relu Round Selu Sigmoid Sign Softmax Softplus Softsign Sqrt Tanh ThresholdedRelu IsNaN IsInf'
).split(' ');
const BINARY_OPERATORS =
  'Add Div Max Mean Min Mul Sub Sum Pow Equal Greater GreaterOrEqual Less LessOrEqual'.split(' ');
const REDUCTIONS =
  'ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare'.split(
    ' ',
  );

const CASES: readonly Case[] = [
  ...UNARY_OPERATORS.map((op) => of(op, rows, (b, x) => b.node(op, [x]))),
  ...BINARY_OPERATORS.map((op) => of(op, rows, (b, x, y) => b.node(op, [x, y]), [N, 1, 6])),
  ...BINARY_OPERATORS.map((op) => of(`${op} with a scalar`, rows, (b, x) => b.node(op, [x, b.f32(2)]))),
  ...REDUCTIONS.flatMap((op) => [
    of(`${op} of axes`, image, (b, x) => b.node(op, [x, b.i64([-1, 2])], { keepdims: 0 })),
    of(`${op} of all`, rows, (b, x) => b.node(op, [x])),
    of(`${op} of none`, rows, (b, x) => b.node(op, [x, b.i64([])], { noop_with_empty_axes: 1 })),
  ]),
  of('And Or Xor Not', rows, (b, x) => {
    const positive = b.node('Greater', [x, b.f32(0)]);
    const small = b.node('Less', [x, b.f32(0.5)]);
    return [
      b.node('And', [positive, small]),
      b.node('Or', [positive, small]),
      b.node('Xor', [positive, small]),
      b.node('Not', [small]),
    ];
  }),
  of('Mod', rows, (b, x) => b.node('Mod', [x, b.f32(0.3)], { fmod: 1 })),
  of('PRelu', image, (b, x) => b.node('PRelu', [x, weight(b, 4, 1, 1)])),
  of('Where', rows, (b, x, y) => b.node('Where', [b.node('Less', [x, y]), x, b.f32(0)]), [N, 1, 6]),
  of('Cast', rows, (b, x) => [6, 7, 9, 11, 2].map((to) => b.node('Cast', [x], { to }))),
  of('CastLike', rows, (b, x) => b.node('CastLike', [x, b.i64([1])])),
  of('Dropout', rows, (b, x) => b.nodes('Dropout', [x], {}, ['kept', 'mask'])),
  of('CumSum', rows, (b, x) => b.node('CumSum', [x, b.constant(tensorI64([1], []))])),

  of('Conv', image, (b, x) =>
    b.node('Conv', [x, weight(b, 6, 4, 3, 3), weight(b, 6)], { pads: [1, 1, 1, 1] }),
  ),
  of('Conv with strides', image, (b, x) =>
    b.node('Conv', [x, weight(b, 6, 4, 3, 2)], { strides: [2, 3], pads: [0, 1, 2, 1], dilations: [2, 1] }),
  ),
  of('Conv in groups', image, (b, x) => b.node('Conv', [x, weight(b, 8, 1, 3, 3)], { group: 4 })),
  ...['SAME_UPPER', 'SAME_LOWER', 'VALID'].map((auto_pad) =>
    of(`Conv ${auto_pad}`, image, (b, x) =>
      b.node('Conv', [x, weight(b, 2, 4, 3, 3)], { auto_pad, strides: [2, 2] }),
    ),
  ),
  of('Conv 1-D', rows, (b, x) => b.node('Conv', [x, weight(b, 2, 5, 3)])),
  of('ConvTranspose', image, (b, x) => b.node('ConvTranspose', [x, weight(b, 4, 3, 3, 3)])),
  of('ConvTranspose with strides', image, (b, x) =>
    b.node('ConvTranspose', [x, weight(b, 4, 3, 3, 2)], {
      strides: [2, 3],
      pads: [1, 0, 1, 1],
      output_padding: [1, 2],
      group: 2,
    }),
  ),
  ...['MaxPool', 'AveragePool'].flatMap((op) => [
    of(op, image, (b, x) => b.node(op, [x], { kernel_shape: [2, 2], strides: [2, 2] })),
    of(`${op} padded`, image, (b, x) =>
      b.node(op, [x], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
    ),
    of(`${op} ceil`, image, (b, x) =>
      b.node(op, [x], { kernel_shape: [2, 3], strides: [2, 3], pads: [0, 1, 0, 1], ceil_mode: 1 }),
    ),
    of(`${op} ceil, last window in the padding`, [N, 1, 4, 4], (b, x) =>
      b.node(op, [x], { kernel_shape: [1, 1], strides: [4, 3], ceil_mode: 1 }),
    ),
    of(`${op} same`, image, (b, x) =>
      b.node(op, [x], { kernel_shape: [3, 3], strides: [2, 2], auto_pad: 'SAME_UPPER' }),
    ),
  ]),
  of('MaxPool with indices', image, (b, x) =>
    b.nodes('MaxPool', [x], { kernel_shape: [3, 3], dilations: [2, 2] }, ['p', 'i']),
  ),
  of('LpPool', image, (b, x) => b.node('LpPool', [x], { kernel_shape: [3, 3] })),
  ...['GlobalAveragePool', 'GlobalMaxPool', 'GlobalLpPool'].map((op) =>
    of(op, image, (b, x) => b.node(op, [x])),
  ),

  of('MatMul', rows, (b, x) => b.node('MatMul', [x, weight(b, 6, 7)])),
  of('MatMul of batches', [N, 2, 5, 6], (b, x, y) => b.node('MatMul', [x, y]), [N, 1, 6, 3]),
  of('MatMul with a vector', rows, (b, x) => b.node('MatMul', [x, weight(b, 6)])),
  of('MatMul of a vector', rows, (b, x) => b.node('MatMul', [weight(b, 5), x])),
  of('Gemm', [N, 6], (b, x) => b.node('Gemm', [x, weight(b, 4, 6), weight(b, 4)], { transB: 1 })),
  of('Gemm transposed', [N, 6], (b, x, y) => b.node('Gemm', [x, y], { transA: 1 }), [N, 3]),
  of('Einsum', rows, (b, x, y) => b.node('Einsum', [x, y], { equation: 'nij,nkj->nik' }), [N, 3, 6]),
  of('Einsum without an arrow', [N, 6], (b, x) =>
    b.node('Einsum', [x, weight(b, 6, 2)], { equation: 'zj,ja' }),
  ),

  of('BatchNormalization', image, (b, x) =>
    b.node('BatchNormalization', [
      x,
      weight(b, 4),
      weight(b, 4),
      weight(b, 4),
      b.node('Abs', [weight(b, 4)]),
    ]),
  ),
  of('InstanceNormalization', image, (b, x) =>
    b.node('InstanceNormalization', [x, weight(b, 4), weight(b, 4)]),
  ),
  of('GroupNormalization', image, (b, x) =>
    b.node('GroupNormalization', [x, weight(b, 2), weight(b, 2)], { num_groups: 2 }),
  ),
  of('LayerNormalization', rows, (b, x) =>
    b.nodes('LayerNormalization', [x, weight(b, 5, 6), weight(b, 5, 6)], { axis: -2 }, [
      'n',
      'mean',
      'inverse',
    ]),
  ),
  of('LRN', image, (b, x) => b.node('LRN', [x], { size: 3 })),
  of('MeanVarianceNormalization', image, (b, x) => b.node('MeanVarianceNormalization', [x])),

  of('ArgMax', rows, (b, x) => b.node('ArgMax', [x], { axis: -1, keepdims: 0 })),
  of('ArgMin', rows, (b, x) => b.node('ArgMin', [x], { axis: 1 })),
  of('TopK', rows, (b, x) => b.nodes('TopK', [x, b.i64([3])], { axis: 1 }, ['v', 'i'])),

  of('Reshape', [N, 4, 6], (b, x) => [
    b.node('Reshape', [x, b.i64([0, -1])]),
    b.node('Reshape', [x, b.i64([-1, 2, 3])]),
    b.node('Reshape', [x, b.i64([0, 0, 2, 3])]),
  ]),
  of('Flatten', image, (b, x) => [0, 1, 2, -1, 4].map((axis) => b.node('Flatten', [x], { axis }))),
  of('Transpose', image, (b, x) => [
    b.node('Transpose', [x]),
    b.node('Transpose', [x], { perm: [0, 2, 3, 1] }),
  ]),
  of('Squeeze', [N, 1, 5, 1], (b, x) => b.node('Squeeze', [x, b.i64([-1, 1])])),
  of('Unsqueeze', rows, (b, x) => b.node('Unsqueeze', [x, b.i64([-1, 1])])),
  of(
    'Concat',
    rows,
    (b, x, y) => [b.node('Concat', [x, y], { axis: 1 }), b.node('Concat', [x, x], { axis: 0 })],
    [N, 2, 6],
  ),
  of('Split', rows, (b, x) => b.nodes('Split', [x, b.i64([2, 4])], { axis: -1 }, ['a', 'b'])),
  of('Split unevenly', rows, (b, x) => b.nodes('Split', [x], { axis: 1, num_outputs: 2 }, ['a', 'b'])),
  of('Slice', image, (b, x) =>
    b.node('Slice', [x, b.i64([-3, 9]), b.i64([2 ** 40, -(2 ** 40)]), b.i64([2, 3]), b.i64([1, -2])]),
  ),
  of('Slice of the batch', image, (b, x) => b.node('Slice', [x, b.i64([0]), b.i64([1]), b.i64([0])])),
  of('Pad', image, (b, x) => [
    b.node('Pad', [x, b.i64([0, 0, 1, 2, 0, 0, -1, 3])]),
    b.node('Pad', [x, b.i64([1, 2]), '', b.i64([-1])], { mode: 'reflect' }),
  ]),
  of('Expand', [N, 1, 6], (b, x) => b.node('Expand', [x, b.i64([2, 1, 5, 1])])),
  of('Tile', rows, (b, x) => b.node('Tile', [x, b.i64([2, 1, 3])])),
  of('DepthToSpace', image, (b, x) => b.node('DepthToSpace', [x], { blocksize: 2 })),
  of('SpaceToDepth', [N, 1, 4, 6], (b, x) => b.node('SpaceToDepth', [x], { blocksize: 2 })),
  of('Resize by scales', image, (b, x) =>
    b.node('Resize', [x, '', b.constant(tensorF32([4], [1, 1, 2.3, 0.55]))], { mode: 'linear' }),
  ),
  of('Resize to sizes', image, (b, x) => b.node('Resize', [x, '', '', b.i64([5, 20])], { axes: [2, 3] })),
  of('Trilu', rows, (b, x) => b.node('Trilu', [x])),

  of('Gather', rows, (b, x) => [
    b.node('Gather', [x, b.i64([0, -1, 2])], { axis: 1 }),
    b.node('Gather', [x, b.constant(tensorI64([0], []))], { axis: 2 }),
  ]),
  of('GatherElements', [3, 4], (b, x) =>
    b.node('GatherElements', [x, b.constant(tensorI64([0, 1], [2, 1]))]),
  ),
  of('GatherND', [3, 4, 5], (b, x) => b.node('GatherND', [x, b.constant(tensorI64([0, 1, 2, 3], [2, 2]))])),
  of('ScatterElements', [3, 4], (b, x) =>
    b.node('ScatterElements', [x, b.constant(tensorI64([0, 1], [1, 2])), weight(b, 1, 2)]),
  ),
  of('ScatterND', [3, 4], (b, x) =>
    b.node('ScatterND', [x, b.constant(tensorI64([1], [1, 1])), weight(b, 1, 4)]),
  ),
  of('OneHot', rows, (b, x) =>
    b.node('OneHot', [
      b.node('ArgMax', [x], { axis: 2, keepdims: 0 }),
      b.i64([6]),
      b.constant(tensorF32([2], [0, 1])),
    ]),
  ),
  of('Constant', rows, (b) => [
    b.node('Constant', [], { value: tensorF32([2], [1, 2]) }),
    b.node('Constant', [], { value_float: float(2) }),
    b.node('Constant', [], { value_ints: [1, 2, 3] }),
    b.node('Constant', [], { value_floats: floats([1, 2]) }),
    b.node('Constant', [], { value_int: 3 }),
  ]),
  of('Shape and Size', rows, (b, x) => [
    b.node('Shape', [x], { start: 1, end: -1 }),
    b.node('Shape', [x]),
    b.node('Size', [x]),
  ]),
  of('Range', rows, (b) => b.node('Range', [b.f32(0), b.f32(1), b.f32(0.3)])),
  of('ConstantOfShape', rows, (b, x) =>
    b.node('ConstantOfShape', [b.node('Shape', [x])], { value: tensorI64([7]) }),
  ),

  of('QuantizeLinear', rows, (b, x) => {
    const q = b.node('QuantizeLinear', [x, b.f32(0.1), zero(b, 'int8')]);
    return [q, b.node('DequantizeLinear', [q, b.f32(0.1), zero(b, 'int8')])];
  }),
  of('DynamicQuantizeLinear', rows, (b, x) => b.nodes('DynamicQuantizeLinear', [x], {}, ['q', 's', 'z'])),
  of('ConvInteger', image, (b, x) => {
    const q = b.node('QuantizeLinear', [x, b.f32(0.1), zero(b)]);
    return b.node('ConvInteger', [q, b.constant(bytes('uint8', [3, 4, 3, 3])), zero(b)], {
      pads: [1, 1, 1, 1],
    });
  }),
  of('MatMulInteger', rows, (b, x) => {
    const q = b.node('QuantizeLinear', [x, b.f32(0.1), zero(b)]);
    return b.node('MatMulInteger', [q, b.constant(bytes('uint8', [6, 3]))]);
  }),
  of('QLinearConv', image, (b, x) => {
    const [s, z] = [b.f32(0.1), zero(b)];
    const w = b.constant(bytes('uint8', [3, 4, 3, 3]));
    return b.node('QLinearConv', [b.node('QuantizeLinear', [x, s, z]), s, z, w, s, z, s, z], {
      strides: [2, 2],
    });
  }),
  of('QLinearMatMul', rows, (b, x) => {
    const [s, z] = [b.f32(0.1), zero(b)];
    const w = b.constant(bytes('uint8', [6, 3]));
    return b.node('QLinearMatMul', [b.node('QuantizeLinear', [x, s, z]), s, z, w, s, z, s, z]);
  }),

  of('a target computed from the shape', image, (b, x) => {
    const shape = b.node('Shape', [x]);
    const at = (index: number) => b.node('Gather', [shape, b.constant(tensorI64([index], []))], { axis: 0 });
    const area = b.node('Mul', [at(2), at(3)]);
    const parts = [at(0), at(1), area].map((part) => b.node('Unsqueeze', [part, b.i64([0])]));
    return b.node('Reshape', [x, b.node('Concat', parts, { axis: 0 })]);
  }),
  of('windows, which multiply the batch', [N, 3, 8, 8], (b, x) => {
    const windows = b.node('Reshape', [x, b.i64([0, 3, 2, 4, 2, 4])]);
    const moved = b.node('Transpose', [windows], { perm: [0, 2, 4, 3, 5, 1] });
    const flat = b.node('Reshape', [moved, b.i64([-1, 16, 3])]);
    const count = b.node('Gather', [b.node('Shape', [flat]), b.i64([0])]);
    const batch = b.node('Div', [count, b.i64([4])]);
    const back = b.node('Concat', [batch, b.i64([2, 2, 4, 4, 3])], { axis: 0 });
    return [flat, b.node('Reshape', [flat, back])];
  }),
  of('a class token for every sample', rows, (b, x) => {
    const batch = b.node('Slice', [b.node('Shape', [x]), b.i64([0]), b.i64([1])]);
    const wanted = b.node('Concat', [batch, b.i64([-1, -1])], { axis: 0 });
    const all = b.node('ConstantOfShape', [b.i64([3])], { value: tensorI64([1]) });
    const open = b.node('Equal', [wanted, b.node('Mul', [all, b.i64([-1])])]);
    const target = b.node('Where', [open, all, wanted]);
    return b.node('Concat', [b.node('Expand', [weight(b, 1, 1, 6), target]), x], { axis: 1 });
  }),
];

describe('inferShapes agrees with ONNX Runtime', () => {
  it.each(ROWS)('quantised: %s', async (_, dims, build) => {
    const b = new Writer();
    const inputs = new Map([['x', [N, ...dims]]]);
    b.input('x', 'float32', ['N', ...dims]);
    build(b);
    const bare = b.build('case');
    const shapes = inferShapes(bare, inputs);
    const names = bare.nodes.flatMap(({ outputs }) => outputs);
    const graph = { ...bare, outputs: names.map((name) => valueInfo(name, shapes)) };
    const model = { ...modelOf(graph), domains: new Map([['com.microsoft', 1]]) };
    const results = await withSession(model, (run) => run(feedsFor(inputs, 3)));
    for (const name of names) {
      const { type, dims } = shapes.get(name)!;
      expect({ name, type: results[name].type, dims: [...results[name].dims] }).toEqual({
        name,
        type,
        dims: dimsAt(dims, 3),
      });
    }
  });

  it.each(CASES)('$name', async ({ x, y, build }) => {
    const inputs = new Map([['x', x], ...(y ? [['y', y] as const] : [])]);
    const { graph, model } = graphOf(inputs, (b) => build(b, 'x', 'y'));
    const shapes = inferShapes(graph, inputs);
    await withSession(model, async (run) => {
      for (const batch of [1, 3]) {
        const results = await run(feedsFor(inputs, batch));
        for (const { name } of graph.outputs) {
          const { type, dims } = shapes.get(name)!;
          expect({ name, type, dims: dimsAt(dims, batch) }).toEqual({
            name,
            type: results[name].type,
            dims: [...results[name].dims],
          });
        }
      }
    });
  });

  it('in every operator that has a rule, but for those that this runtime lacks', () => {
    const seen = new Set<string>();
    for (const { x, y, build } of CASES) {
      const inputs = new Map([['x', x], ...(y ? [['y', y] as const] : [])]);
      for (const { op } of graphOf(inputs, (b) => build(b, 'x', 'y')).graph.nodes) seen.add(op);
    }
    for (const [, dims, build] of ROWS) {
      const b = new Writer();
      b.input('x', 'float32', ['N', ...dims]);
      build(b);
      for (const { op, domain } of b.build('case').nodes) seen.add(domain === '' ? op : `${domain}:${op}`);
    }
    const missing = [...RULES.keys()].filter((op) => !seen.has(op));
    expect(missing.sort()).toEqual(
      [
        ...'Acos Acosh Asin Asinh Atan Atanh BitwiseNot Celu Cos Cosh Gelu Hardmax RMSNormalization Shrink'.split(
          ' ',
        ),
        ...'Sin Sinh Swish Tan com.microsoft:FusedMatMul'.split(' '),
      ].sort(),
    );
  });
});
