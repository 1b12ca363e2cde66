/** Every rule against central differences: one table, and long for it; a row per operator and per form with code of its own. */
import { describe, expect, it } from 'vitest';
import { float, tensorF32, tensorI64, type GraphBuilder } from '../builder.js';
import { FLUSH } from '../graph-tools/flush.js';
import { gradientError, weight, type Case } from './differences.fixture.js';
import { RULES } from './rules.js';

type Row = readonly [name: string, given: Case];

const away = (v: number): number => (v < 0 ? v - 0.2 : v + 0.2);
const positive = (v: number): number => 1.3 + v;
const wide = (v: number): number => 2.1 * v;

/** An operator of one input [2, 3, 4]. */
const unary = (op: string, map: (v: number) => number = away, attributes = {}, opset?: number): Row => [
  `${op} ${JSON.stringify(attributes)}`,
  { inputs: { x: [2, 3, 4] }, map, build: (b) => b.node(op, ['x'], attributes), opset },
];

/** An operator of two inputs in every broadcast of interest. */
const binary = (op: string, map: (v: number) => number = (v) => v): Row[] => [
  [`${op} of equal shapes`, { inputs: { x: [2, 3], y: [2, 3] }, map, build: (b) => b.node(op, ['x', 'y']) }],
  [
    `${op} with channels on the right`,
    { inputs: { x: [2, 3, 4], y: [3, 1] }, fixed: ['y'], map, build: (b) => b.node(op, ['x', 'y']) },
  ],
  [
    `${op} with one row on the left`,
    { inputs: { y: [1, 4], x: [2, 3, 4] }, fixed: ['y'], map, build: (b) => b.node(op, ['y', 'x']) },
  ],
  [
    `${op} of both sides broadcast`,
    { inputs: { x: [2, 3, 1], y: [2, 1, 4] }, map, build: (b) => b.node(op, ['x', 'y']) },
  ],
];

/** An operator of one input with constants behind it, linear unless a step is given. */
const linear = (
  name: string,
  dims: readonly number[],
  build: (b: GraphBuilder) => string | readonly string[],
  constants: Case['constants'] = {},
): Row => [name, { inputs: { x: dims }, constants, build, step: 0.5 }];

const conv = (name: string, x: readonly number[], w: readonly number[], attributes: object): Row =>
  linear(`Conv ${name}`, x, (b) => b.node('Conv', ['x', 'w'], { ...attributes }), { w: weight(...w) });

const convTranspose = (name: string, x: readonly number[], w: readonly number[], attributes: object): Row =>
  linear(`ConvTranspose ${name}`, x, (b) => b.node('ConvTranspose', ['x', 'w'], { ...attributes }), {
    w: weight(...w),
  });

/** Values far enough apart that no step of the differences changes which one is largest. */
const shuffled = (dims: readonly number[]): Float32Array => {
  const count = dims.reduce((a, b) => a * b, 1);
  return Float32Array.from({ length: count }, (_, i) => ((i * 7919) % count) / 4);
};

/** x enters as a constant with well separated values plus the input, which is small. */
const pooling = (
  op: string,
  dims: readonly number[],
  attributes: object,
  more: (b: GraphBuilder, x: string) => string = (b, x) => b.node(op, [x], { ...attributes }),
): Row => [
  `${op} ${dims.slice(2).join('x')} ${JSON.stringify(attributes)}`,
  {
    inputs: { x: dims },
    constants: { apart: tensorF32(dims.with(0, 1), shuffled(dims.with(0, 1))) },
    build: (b) => more(b, b.node('Add', ['x', 'apart'])),
    map: (v) => v * 0.05,
    step: 0.01,
  },
];

const average = (dims: readonly number[], attributes: object): Row =>
  linear(`AveragePool ${dims.slice(2).join('x')} ${JSON.stringify(attributes)}`, dims, (b) =>
    b.node('AveragePool', ['x'], { ...attributes }),
  );

const resize = (
  dims: readonly number[],
  to: { sizes?: readonly number[]; scales?: readonly number[] },
  attributes: Record<string, string | number>,
): Row =>
  linear(
    `Resize ${dims.slice(2).join('x')} ${JSON.stringify(to)} ${JSON.stringify(attributes)}`,
    dims,
    (b) =>
      to.scales
        ? b.node('Resize', ['x', '', b.constant(tensorF32([4], [1, 1, ...to.scales]))], attributes)
        : b.node('Resize', ['x', '', '', b.i64([dims[0], dims[1], ...to.sizes!])], attributes),
  );

const weightsAbove = (count: number, least: number): Float32Array =>
  (weight(count).data as Float32Array).map((v) => least + Math.abs(v));

const ROWS: readonly Row[] = [
  ...binary('Add'),
  ...binary('Sub'),
  ...binary('Mul'),
  ...binary('Div', positive),
  ...binary('Pow', positive),
  ...['2', '3', '0.5', '-1'].map((p): Row => [
    `Pow ${p}`,
    { inputs: { x: [2, 5] }, map: positive, build: (b) => b.node('Pow', ['x', b.f32(Number(p))]) },
  ]),
  unary('Sqrt', positive),
  unary('Erf'),
  unary('Exp'),
  unary('Log', positive),
  unary('Neg'),
  unary('Abs'),
  unary('Reciprocal'),
  unary('Sin'),
  unary('Cos'),
  unary('Identity'),
  unary('Dropout'),
  unary('Cast', away, { to: 1 }),
  [
    'Sum of three, broadcast',
    { inputs: { x: [2, 3], y: [3], z: [2, 3] }, fixed: ['y'], build: (b) => b.node('Sum', ['x', 'y', 'z']) },
  ],
  [
    'Mean of two, broadcast',
    { inputs: { x: [2, 3], y: [3] }, fixed: ['y'], build: (b) => b.node('Mean', ['x', 'y']) },
  ],
  [
    'a tensor used twice',
    { inputs: { x: [2, 3] }, build: (b) => b.node('Mul', [b.node('Exp', ['x']), b.node('Sin', ['x'])]) },
  ],
  [
    'Where broadcast',
    {
      inputs: { x: [2, 3], y: [3] },
      fixed: ['y'],
      constants: { c: { type: 'bool', dims: [1, 3], data: Uint8Array.of(1, 0, 1) } },
      build: (b) => b.node('Where', ['c', 'x', 'y']),
    },
  ],

  ...binary('Max', away),
  ...binary('Min', away),
  unary('Clip', wide),
  [
    'Clip with bounds',
    { inputs: { x: [2, 5] }, map: wide, build: (b) => b.node('Clip', ['x', b.f32(-0.5), b.f32(1)]) },
  ],
  ...[
    ['-0.3', '0.4'],
    ['', '0.2'],
    ['-0.1', ''],
  ].map(([low, high]): Row => [
    `Clip behind a Conv [${low}, ${high}]`,
    {
      inputs: { x: [1, 2, 3, 4] },
      constants: { w: tensorF32([2, 1, 1, 1], [1, -1]) },
      // No value is near a bound.
      map: (v) => Math.round(v * 10) / 10 + 0.05,
      build: (b) => {
        const bounds = [low, high].map((bound) => (bound === '' ? '' : b.f32(Number(bound))));
        return b.node('Clip', [b.node('Conv', ['x', 'w'], { group: 2 }), ...bounds]);
      },
    },
  ]),
  unary('ReduceMax', away, { keepdims: 0 }),
  [
    'ReduceMax over axes',
    { inputs: { x: [2, 3, 4] }, build: (b) => b.node('ReduceMax', ['x', b.i64([-1])], { keepdims: 0 }) },
  ],
  [
    'ReduceMin over axes',
    { inputs: { x: [2, 3, 4] }, build: (b) => b.node('ReduceMin', ['x', b.i64([1, 2])]) },
  ],
  pooling('GlobalMaxPool', [2, 2, 3, 5], {}),

  unary('Relu'),
  unary('LeakyRelu', away, { alpha: 0.1 }),
  unary('LeakyRelu', away, { alpha: float(-0.5) }),
  unary('LeakyRelu', away, { alpha: 1.5 }),
  [
    'PRelu per channel, slopes of any size',
    {
      inputs: { x: [2, 3, 2, 2], s: [3, 1, 1] },
      fixed: ['s'],
      map: away,
      build: (b) => b.node('PRelu', ['x', 's']),
    },
  ],
  [
    'PRelu with known slopes',
    {
      inputs: { x: [2, 3, 2] },
      map: away,
      constants: { s: tensorF32([3, 1], [0.1, 0.25, 1]) },
      build: (b) => b.node('PRelu', ['x', 's']),
    },
  ],
  unary('Elu', away, { alpha: 0.7 }),
  unary('Selu'),
  unary('Sigmoid'),
  unary('Tanh'),
  unary('Softplus'),
  unary('HardSigmoid', wide, { alpha: 0.4, beta: 0.45 }),
  unary('HardSwish', (v) => 4.1 * v),
  [
    'HardSigmoid that only flushes',
    {
      inputs: { x: [2, 5] },
      map: (v) => 0.5 + 0.4 * v,
      build: (b) => b.node(FLUSH.op, ['x'], FLUSH.attributes),
    },
  ],
  unary('Gelu', wide, {}, 20),
  ...(
    [
      ['half last', (b, x, sum) => b.node('Mul', [b.node('Mul', [x, sum]), b.f32(0.5)])],
      ['half first', (b, x, sum) => b.node('Mul', [b.node('Mul', [b.f32(0.5), x]), sum])],
      ['half of the sum', (b, x, sum) => b.node('Mul', [x, b.node('Mul', [sum, b.f32(0.5)])])],
      ['not quite', (b, x, sum) => b.node('Mul', [b.node('Mul', [x, sum]), b.f32(0.4)])],
    ] satisfies [string, (b: GraphBuilder, x: string, sum: string) => string][]
  ).map(([form, product]): Row => [
    `Gelu written out, ${form}`,
    {
      inputs: { x: [2, 3, 4] },
      map: wide,
      build: (b) => {
        const x = b.node('Add', ['x', b.f32(0.3)]);
        const root = form === 'half first' ? ['Mul', Math.SQRT1_2] : ['Div', Math.SQRT2];
        const erf = b.node('Erf', [b.node(root[0] as string, [x, b.f32(root[1] as number)])]);
        return product(b, x, b.node('Add', [erf, b.f32(1)]));
      },
    },
  ]),
  unary('Gelu', wide, { approximate: 'tanh' }, 20),
  unary('Mish', wide),
  unary('Softmax'),
  unary('Softmax', wide, { axis: 1 }),
  unary('LogSoftmax'),
  unary('LogSoftmax', wide, { axis: 1 }),

  [
    'MatMul by a constant',
    { inputs: { x: [2, 3, 4] }, constants: { w: weight(4, 5) }, build: (b) => b.node('MatMul', ['x', 'w']) },
  ],
  [
    'MatMul of a constant',
    { inputs: { x: [2, 3, 4] }, constants: { w: weight(5, 3) }, build: (b) => b.node('MatMul', ['w', 'x']) },
  ],
  [
    'MatMul of batches',
    { inputs: { x: [2, 2, 3, 4], y: [2, 2, 4, 3] }, build: (b) => b.node('MatMul', ['x', 'y']) },
  ],
  [
    'MatMul, batch broadcast',
    { inputs: { x: [2, 2, 3, 4], y: [2, 4, 3] }, fixed: ['y'], build: (b) => b.node('MatMul', ['x', 'y']) },
  ],
  [
    'MatMul with shared weights',
    { inputs: { x: [2, 3, 4], y: [4, 5] }, fixed: ['y'], build: (b) => b.node('MatMul', ['x', 'y']) },
  ],
  [
    'MatMul by a vector',
    { inputs: { x: [2, 3, 4], y: [4] }, fixed: ['y'], build: (b) => b.node('MatMul', ['x', 'y']) },
  ],
  [
    'MatMul of a vector',
    { inputs: { y: [3], x: [2, 3, 4] }, fixed: ['y'], build: (b) => b.node('MatMul', ['y', 'x']) },
  ],
  ...[0, 1].flatMap((transA) =>
    [0, 1].map((transB): Row => [
      `Gemm transA ${transA} transB ${transB}`,
      {
        inputs: { x: transA ? [3, 4] : [4, 3], y: transB ? [5, 3] : [3, 5], z: [5] },
        fixed: ['x', 'y', 'z'],
        build: (b) => b.node('Gemm', ['x', 'y', 'z'], { transA, transB, alpha: 0.5, beta: 1.5 }),
      },
    ]),
  ),
  [
    'Einsum',
    {
      inputs: { x: [2, 3, 4], y: [2, 5, 4] },
      build: (b) => b.node('Einsum', ['x', 'y'], { equation: 'bid, bjd -> bij' }),
    },
  ],

  conv('3x3', [2, 3, 5, 6], [4, 3, 3, 3], { pads: [1, 1, 1, 1] }),
  conv('1x1 with pads that leave the kernel', [2, 3, 4, 4], [2, 3, 1, 1], { pads: [1, 0, 2, 1] }),
  conv('asymmetric pads, dilated', [2, 2, 7, 8], [3, 2, 3, 2], { pads: [0, 3, 2, 1], dilations: [2, 3] }),
  conv('grouped', [2, 4, 5, 5], [6, 2, 3, 3], { pads: [1, 1, 1, 1], group: 2 }),
  conv('depthwise', [2, 3, 5, 5], [3, 1, 3, 3], { pads: [1, 1, 1, 1], group: 3 }),
  conv('strided', [2, 3, 7, 8], [4, 3, 3, 3], { pads: [1, 1, 1, 1], strides: [2, 2] }),
  conv('strided, windows that leave elements out', [2, 2, 9, 10], [2, 2, 2, 2], { strides: [3, 4] }),
  conv('strided, grouped, dilated', [2, 4, 9, 9], [4, 2, 3, 3], {
    strides: [2, 3],
    group: 2,
    dilations: [2, 1],
  }),
  conv('strided depthwise 5x5', [2, 3, 9, 8], [3, 1, 5, 5], {
    pads: [2, 2, 2, 2],
    strides: [2, 2],
    group: 3,
  }),
  conv('strided depthwise 5x5, asymmetric', [2, 2, 8, 11], [2, 1, 5, 5], {
    pads: [1, 0, 2, 3],
    strides: [2, 3],
    group: 2,
  }),
  conv('auto_pad SAME_UPPER', [2, 2, 5, 6], [2, 2, 2, 3], { auto_pad: 'SAME_UPPER', strides: [1, 2] }),
  conv('auto_pad SAME_LOWER', [2, 2, 5, 6], [2, 2, 2, 2], { auto_pad: 'SAME_LOWER' }),
  conv('of one axis', [2, 2, 7], [3, 2, 3], { pads: [1, 1] }),
  conv('of three axes', [2, 2, 3, 4, 3], [2, 2, 2, 3, 2], { pads: [1, 1, 0, 0, 1, 1] }),
  [
    'Conv with weights from elsewhere',
    {
      inputs: { x: [2, 4, 4, 4] },
      constants: { v: weight(6, 2, 3, 3) },
      build: (b) => b.node('Conv', ['x', b.node('Neg', ['v'])], { pads: [1, 1, 1, 1], group: 2 }),
      step: 0.5,
    },
  ],
  convTranspose('2x2 by 2', [2, 3, 3, 4], [3, 2, 2, 2], { strides: [2, 2] }),
  convTranspose('padded, with output padding', [2, 3, 3, 4], [3, 2, 3, 3], {
    strides: [2, 2],
    pads: [1, 1, 1, 1],
    output_padding: [1, 1],
  }),
  convTranspose('grouped, dilated, asymmetric', [2, 4, 4, 3], [4, 2, 3, 2], {
    group: 2,
    dilations: [2, 1],
    pads: [0, 1, 2, 0],
  }),
  convTranspose('output_shape', [2, 2, 3, 3], [2, 2, 3, 3], { strides: [2, 2], output_shape: [6, 6] }),

  [
    'BatchNormalization',
    {
      inputs: { x: [2, 3, 2, 2] },
      constants: { s: weight(3), m: weight(3), t: weight(3), v: tensorF32([3], [0.5, 1, 2]) },
      build: (b) => b.node('BatchNormalization', ['x', 's', 't', 'm', 'v'], { epsilon: 1e-3 }),
    },
  ],
  linear(
    'BatchNormalization of whole blocks of channels',
    [1, 16, 2, 2],
    (b) => b.node('BatchNormalization', ['x', 's', 't', 'm', 'v'], { epsilon: 1e-3 }),
    { s: weight(16), m: weight(16), t: weight(16), v: tensorF32([16], weightsAbove(16, 0.2)) },
  ),
  [
    'BatchNormalization with parameters from elsewhere',
    {
      inputs: { x: [2, 3] },
      constants: { s: weight(3), m: weight(3), v: tensorF32([3], [0.5, 1, 2]) },
      build: (b) => b.node('BatchNormalization', ['x', b.node('Neg', ['s']), 'm', 'm', 'v']),
    },
  ],
  [
    'InstanceNormalization',
    {
      inputs: { x: [2, 3, 4, 2], s: [3], t: [3] },
      fixed: ['s', 't'],
      build: (b) => b.node('InstanceNormalization', ['x', 's', 't'], { epsilon: 1e-2 }),
    },
  ],
  ...[-1, 1].map((axis): Row => [
    `LayerNormalization that gives out its statistics, from axis ${axis}`,
    {
      inputs: { x: [2, 3, 4] },
      constants: { s: axis === 1 ? weight(3, 4) : weight(4) },
      map: (v) => v + 2,
      build: (b) => b.nodes('LayerNormalization', ['x', 's'], { axis, epsilon: 1e-2 }, ['y', 'm', 'i'])[0],
    },
  ]),
  ...[-1, 1].map((axis): Row => [
    `LayerNormalization from axis ${axis}`,
    {
      inputs: { x: [2, 3, 4], s: axis === 1 ? [3, 4] : [4], t: axis === 1 ? [3, 4] : [4] },
      fixed: ['s', 't'],
      build: (b) => b.node('LayerNormalization', ['x', 's', 't'], { axis, epsilon: 1e-2 }),
    },
  ]),

  pooling('MaxPool', [2, 2, 4, 6], { kernel_shape: [2, 2], strides: [2, 2] }),
  pooling('MaxPool', [2, 2, 5, 7], { kernel_shape: [2, 3], strides: [2, 3] }),
  pooling('MaxPool', [2, 2, 5, 5], { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 }),
  pooling('MaxPool', [2, 2, 8, 8], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
  pooling('MaxPool', [2, 2, 7, 9], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
  pooling('MaxPool', [2, 2, 7, 8], { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }),
  pooling('MaxPool', [2, 2, 5, 6], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }),
  pooling('MaxPool', [2, 2, 7, 8], {
    kernel_shape: [2, 3],
    strides: [1, 2],
    pads: [1, 0, 0, 2],
    dilations: [2, 1],
  }),
  pooling('MaxPool', [2, 2, 7, 8], { kernel_shape: [2, 2], strides: [3, 3] }),
  pooling('MaxPool', [2, 2, 6, 7], { kernel_shape: [3, 3], strides: [2, 2], auto_pad: 'SAME_UPPER' }),
  pooling('MaxPool', [2, 2, 9], { kernel_shape: [3], strides: [2] }),
  // In whole blocks of channels, where windows of 3 at stride 2 have a form of their own.
  pooling('MaxPool', [1, 16, 4, 6], { kernel_shape: [2, 2], strides: [2, 2] }),
  pooling('MaxPool', [1, 16, 4, 6], { kernel_shape: [2, 3], strides: [2, 3] }),
  pooling('MaxPool', [1, 16, 6, 8], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
  pooling('MaxPool', [1, 16, 6, 8], { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }),
  pooling('MaxPool', [1, 16, 4, 6], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 0, 0, 1] }),
  pooling('MaxPool', [1, 16, 5, 6], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),

  average([2, 2, 4, 6], { kernel_shape: [2, 2], strides: [2, 2] }),
  average([2, 2, 5, 7], { kernel_shape: [2, 2], strides: [2, 2] }),
  average([2, 2, 5, 6], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }),
  average([2, 2, 5, 6], { kernel_shape: [3, 3], pads: [1, 1, 1, 1], count_include_pad: 1 }),
  average([2, 2, 7, 8], { kernel_shape: [3, 2], strides: [2, 3], pads: [1, 0, 0, 1] }),
  average([2, 2, 6, 8], { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }),
  average([2, 2, 7], { kernel_shape: [3], strides: [2] }),
  unary('GlobalAveragePool'),

  ...['ReduceMean', 'ReduceSum', 'ReduceL2', 'ReduceL1', 'ReduceSumSquare', 'ReduceLogSumExp'].flatMap(
    (op): Row[] => [
      [
        `${op} over axes`,
        {
          inputs: { x: [2, 3, 4] },
          map: away,
          build: (b) => b.node(op, ['x', b.i64([1, -1])], { keepdims: 0 }),
        },
      ],
      [
        `${op} that keeps its axis`,
        { inputs: { x: [2, 3, 4] }, map: away, build: (b) => b.node(op, ['x', b.i64([1])]) },
      ],
      [
        `${op} of everything`,
        { inputs: { x: [2, 3] }, map: away, build: (b) => b.node(op, ['x'], { keepdims: 0 }) },
      ],
    ],
  ),

  linear('Reshape with the batch', [2, 3, 4], (b) => b.node('Reshape', ['x', b.i64([0, 2, -1])])),
  linear('Reshape into the batch', [2, 3, 4], (b) => b.node('Reshape', ['x', b.i64([-1, 4])])),
  linear('Flatten', [2, 3, 2], (b) => b.node('Flatten', ['x'])),
  linear('Squeeze', [2, 1, 3], (b) => b.node('Squeeze', ['x', b.i64([1])])),
  linear('Unsqueeze', [2, 3], (b) => b.node('Unsqueeze', ['x', b.i64([0, 2])])),
  linear('Transpose', [2, 3, 4], (b) => b.node('Transpose', ['x'], { perm: [1, 2, 0] })),
  linear('Transpose without perm', [2, 3, 4], (b) => b.node('Transpose', ['x'])),
  linear('Expand', [2, 1, 3], (b) => b.node('Expand', ['x', b.i64([2, 1, 4, 3])])),
  linear('Tile', [2, 3, 2], (b) => b.node('Tile', ['x', b.i64([1, 2, 3])])),
  linear('DepthToSpace DCR', [2, 8, 2, 3], (b) => b.node('DepthToSpace', ['x'], { blocksize: 2 })),
  linear('DepthToSpace CRD', [2, 8, 2, 3], (b) =>
    b.node('DepthToSpace', ['x'], { blocksize: 2, mode: 'CRD' }),
  ),
  linear('SpaceToDepth', [2, 2, 4, 6], (b) => b.node('SpaceToDepth', ['x'], { blocksize: 2 })),

  [
    'Concat',
    {
      inputs: { x: [2, 3], y: [2, 2] },
      build: (b) => b.node('Concat', ['x', 'y', 'x'], { axis: 1 }),
      step: 0.5,
    },
  ],
  linear('Slice', [2, 5, 6], (b) => b.node('Slice', ['x', b.i64([1, -3]), b.i64([4, 100]), b.i64([1, 2])])),
  linear('Slice with steps', [2, 7, 8], (b) =>
    b.node('Slice', ['x', b.i64([1, 0]), b.i64([7, 8]), b.i64([1, 2]), b.i64([2, 3])]),
  ),
  linear('Slice backwards', [2, 7, 8], (b) =>
    b.node('Slice', ['x', b.i64([5, -1]), b.i64([0, -100]), b.i64([1, 2]), b.i64([-2, -1])]),
  ),
  linear('Slice of the whole batch', [2, 4], (b) =>
    b.node('Slice', ['x', b.i64([0, 1]), b.i64([2 ** 31, 3]), b.i64([0, 1])]),
  ),
  linear('Split', [2, 6], (b) => b.nodes('Split', ['x', b.i64([1, 2, 3])], { axis: 1 }, ['p', 'q', 'r'])),
  linear('Split of which some is used', [2, 6], (b) =>
    b.nodes('Split', ['x', b.i64([1, 2, 3])], { axis: 1 }, ['p', 'q', 'r']).slice(1, 2),
  ),
  linear('Gather of one', [2, 4, 3], (b) => b.node('Gather', ['x', 'i'], { axis: 1 }), {
    i: tensorI64([-1], []),
  }),
  linear('Gather of a run', [2, 4, 3], (b) => b.node('Gather', ['x', 'i'], { axis: 1 }), {
    i: tensorI64([1, 2]),
  }),
  linear('Gather that permutes', [2, 4, 3], (b) => b.node('Gather', ['x', 'i'], { axis: 1 }), {
    i: tensorI64([2, 0, 3, 1]),
  }),
  linear('Gather that repeats', [2, 4, 3], (b) => b.node('Gather', ['x', 'i'], { axis: -1 }), {
    i: tensorI64([2, 0, 2, 2], [2, 2]),
  }),
  linear('Pad', [2, 3, 4], (b) => b.node('Pad', ['x', b.i64([0, 1, -1, 0, 0, 2]), b.f32(5)])),
  linear('Pad over axes', [2, 3, 4], (b) => b.node('Pad', ['x', b.i64([1, 2]), '', b.i64([-1])])),
  ...['reflect', 'edge', 'wrap'].map((mode) =>
    linear(
      `Pad ${mode}`,
      [2, 2, 3, 4],
      (b) => b.node('Pad', ['x', b.i64([0, 0, 1, 2, 0, 0, 2, 1])], { mode }),
      {},
    ),
  ),

  resize(
    [2, 2, 3, 4],
    { scales: [2, 3] },
    { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' },
  ),
  resize([2, 2, 3, 4], { sizes: [5, 6] }, { mode: 'nearest' }),
  resize([2, 2, 6, 7], { sizes: [3, 3] }, { mode: 'nearest', nearest_mode: 'ceil' }),
  ...['half_pixel', 'asymmetric', 'align_corners', 'pytorch_half_pixel'].flatMap(
    (coordinate_transformation_mode) => [
      resize([2, 2, 3, 4], { sizes: [5, 9] }, { mode: 'linear', coordinate_transformation_mode }),
      resize([2, 2, 7, 8], { sizes: [3, 1] }, { mode: 'linear', coordinate_transformation_mode }),
    ],
  ),
  resize([2, 2, 3, 5], { scales: [2.5, 1.3] }, { mode: 'linear' }),
  resize([2, 2, 4, 5], { sizes: [7, 8] }, { mode: 'cubic' }),
];

describe('the rule of', () => {
  it.each(ROWS)('%s agrees with central differences', async (_, given) => {
    expect(await gradientError(given)).toBeLessThan(2e-4);
  });

  it('every operator is among them', () => {
    const tried = new Set(ROWS.flatMap(([name]) => name.split(' ')[0]));
    expect([...RULES.keys()].filter((op) => !tried.has(op))).toEqual([]);
  });
});
