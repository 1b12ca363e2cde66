import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { float, floats, OUR_OPSET, tensorF32, tensorI64, type GraphBuilder } from '../../builder.js';
import { ModelError } from '../../errors.js';
import { readModel } from '../read.js';
import { writeModel } from '../write.js';
import { modelOfNodes, run, type NodeInput } from '../runtime.fixture.js';
import { raiseOpset } from './raise.js';

interface Case {
  readonly name: string;
  readonly opset: number;
  readonly dims: readonly number[];
  readonly nodes: readonly NodeInput[];
  readonly extend?: (builder: GraphBuilder) => void;
  /** Operators of the raised graph. */
  readonly becomes?: readonly string[];
}

const scales = (builder: GraphBuilder): void => {
  builder.initializer('scales', tensorF32([4], [1, 1, 2, 3]));
};
const norm = (builder: GraphBuilder): void => {
  for (const [index, name] of ['gamma', 'beta', 'mean', 'variance'].entries())
    builder.initializer(name, tensorF32([3], [0.5 + index, 1.5, 2.5]));
};
const cast = (to: number, input: string, output: string): NodeInput => ({
  op: 'Cast',
  inputs: [input],
  attributes: { to },
  outputs: [output],
});

const CASES: readonly Case[] = [
  { name: 'Squeeze', opset: 9, dims: [2, 1, 3, 1], nodes: [{ op: 'Squeeze', attributes: { axes: [1, 3] } }] },
  { name: 'Squeeze, all axes', opset: 9, dims: [2, 1, 3, 1], nodes: [{ op: 'Squeeze' }] },
  { name: 'Unsqueeze', opset: 11, dims: [2, 3], nodes: [{ op: 'Unsqueeze', attributes: { axes: [0, -1] } }] },
  ...['L1', 'L2', 'LogSumExp', 'Max', 'Mean', 'Min', 'Prod', 'Sum', 'SumSquare'].flatMap((kind) =>
    [9, 13].map((opset) => ({
      name: `Reduce${kind} of version ${opset}`,
      opset,
      dims: [2, 3, 4],
      nodes:
        kind === 'Sum' && opset === 13
          ? [{ op: 'ReduceSum', inputs: ['x', 'axes'], attributes: { keepdims: 0 } }]
          : [{ op: `Reduce${kind}`, attributes: { axes: [1, 2], keepdims: 0 } }],
      extend: (builder: GraphBuilder) => void builder.initializer('axes', tensorI64([1])),
    })),
  ),
  { name: 'ReduceMean, all axes', opset: 9, dims: [2, 3], nodes: [{ op: 'ReduceMean' }] },
  {
    name: 'Slice',
    opset: 9,
    dims: [4, 5, 6],
    nodes: [{ op: 'Slice', attributes: { starts: [1, -4], ends: [3, 2 ** 52], axes: [0, 2] } }],
  },
  {
    name: 'Slice, axes left out',
    opset: 7,
    dims: [4, 5, 6],
    nodes: [{ op: 'Slice', attributes: { starts: [1, 0], ends: [3, -1] } }],
  },
  ...['constant', 'reflect', 'edge'].map((mode) => ({
    name: `Pad ${mode}`,
    opset: 9,
    dims: [1, 2, 4, 4],
    nodes: [{ op: 'Pad', attributes: { mode, pads: [0, 0, 1, 2, 0, 0, 2, 1], value: float(1.5) } }],
  })),
  {
    name: 'Split by sizes',
    opset: 9,
    dims: [2, 5],
    nodes: [{ op: 'Split', attributes: { axis: 1, split: [2, 3] }, outputs: ['rest', 'y'] }],
  },
  ...[9, 13].map((opset) => ({
    name: `Split into equals of version ${opset}`,
    opset,
    dims: [2, 6],
    nodes: [{ op: 'Split', attributes: { axis: 1 }, outputs: ['a', 'y', 'c'] }],
  })),
  {
    name: 'TopK',
    opset: 9,
    dims: [3, 7],
    nodes: [{ op: 'TopK', attributes: { k: 2, axis: 1 }, outputs: ['y', 'i'] }],
  },
  {
    name: 'Clip',
    opset: 9,
    dims: [3, 7],
    nodes: [{ op: 'Clip', attributes: { min: float(0), max: float(1) } }],
  },
  {
    name: 'Clip from below',
    opset: 7,
    dims: [3, 7],
    nodes: [{ op: 'Clip', attributes: { min: float(-1) } }],
  },
  {
    name: 'Clip in double precision',
    opset: 12,
    dims: [3, 7],
    nodes: [cast(11, 'x', 'd'), { op: 'Clip', inputs: ['d', 'low'], outputs: ['c'] }, cast(1, 'c', 'y')],
    extend: (builder) =>
      void builder.initializer('low', { type: 'float64', dims: [], data: Float64Array.of(-0.5) }),
  },
  {
    name: 'Pad in double precision',
    opset: 10,
    dims: [2, 3],
    nodes: [
      cast(11, 'x', 'd'),
      { op: 'Pad', inputs: ['d'], attributes: { pads: [0, 1, 0, 1], value: float(3) }, outputs: ['p'] },
      cast(1, 'p', 'y'),
    ],
  },
  { name: 'Dropout', opset: 9, dims: [3, 7], nodes: [{ op: 'Dropout', attributes: { ratio: float(0.3) } }] },
  {
    name: 'BatchNormalization',
    opset: 7,
    dims: [2, 3, 4],
    nodes: [
      {
        op: 'BatchNormalization',
        inputs: ['x', 'gamma', 'beta', 'mean', 'variance'],
        attributes: { spatial: 1, epsilon: float(0.0625) },
      },
    ],
    extend: norm,
  },
  ...['Softmax', 'LogSoftmax', 'Hardmax'].flatMap((op) => [
    { name: `${op} of the last axis`, opset: 9, dims: [2, 5], nodes: [{ op }], becomes: [op] },
    {
      name: `${op} of the last axis from the back`,
      opset: 11,
      dims: [2, 5, 3],
      nodes: [{ op, attributes: { axis: -1 } }],
      becomes: [op],
    },
    {
      name: `${op} before axes of length 1`,
      opset: 9,
      dims: [2, 5, 1, 1],
      nodes: [{ op, attributes: { axis: 1 } }],
      becomes: [op],
    },
    {
      name: `${op} of all axes from 1 on`,
      opset: 9,
      dims: [2, 5, 3],
      nodes: [{ op, attributes: { axis: 1 } }],
      becomes: ['Shape', 'Flatten', op, 'Reshape'],
    },
    {
      name: `${op} of everything`,
      opset: 9,
      dims: [2, 5],
      nodes: [{ op, attributes: { axis: 0 } }],
      becomes: ['Shape', 'Flatten', op, 'Reshape'],
    },
  ]),
  ...['nearest', 'linear'].flatMap((mode) => [
    {
      name: `Upsample ${mode} of version 7`,
      opset: 7,
      dims: [1, 2, 3, 4],
      nodes: [{ op: 'Upsample', attributes: { mode, scales: floats([1, 1, 2, 1.5]) } }],
      becomes: ['Resize'],
    },
    {
      name: `Upsample ${mode} of version 9`,
      opset: 9,
      dims: [1, 2, 3, 4],
      nodes: [{ op: 'Upsample', inputs: ['x', 'scales'], attributes: { mode } }],
      extend: scales,
      becomes: ['Resize'],
    },
    ...[
      [1, 1, 2, 3],
      [1, 1, 0.5, 0.4],
    ].map((factors) => ({
      name: `Resize ${mode} of version 10 by ${factors.join()}`,
      opset: 10,
      dims: [1, 2, 8, 10],
      nodes: [{ op: 'Resize', inputs: ['x', 'factors'], attributes: { mode } }],
      extend: (builder: GraphBuilder) => void builder.initializer('factors', tensorF32([4], factors)),
    })),
    {
      name: `Resize ${mode} of version 11 to a size`,
      opset: 11,
      dims: [1, 2, 3, 4],
      nodes: [{ op: 'Resize', inputs: ['x', 'none', 'none', 'size'], attributes: { mode } }],
      extend: (builder: GraphBuilder) => {
        builder.initializer('none', tensorF32([0], []));
        builder.initializer('size', tensorI64([1, 2, 7, 9]));
      },
    },
  ]),
  {
    name: 'Scatter',
    opset: 9,
    dims: [3, 3],
    nodes: [{ op: 'Scatter', inputs: ['x', 'indices', 'updates'] }],
    extend: (builder) => {
      builder.initializer('indices', tensorI64([1, 0, 2], [1, 3]));
      builder.initializer('updates', tensorF32([1, 3], [7, 8, 9]));
    },
    becomes: ['ScatterElements'],
  },
  {
    name: 'RoiAlign',
    opset: 11,
    dims: [1, 1, 8, 8],
    nodes: [
      {
        op: 'RoiAlign',
        inputs: ['x', 'rois', 'batch'],
        attributes: { output_height: 2, output_width: 2, sampling_ratio: 2 },
      },
    ],
    extend: (builder) => {
      builder.initializer('rois', tensorF32([1, 4], [1, 1, 6, 5]));
      builder.initializer('batch', tensorI64([0]));
    },
  },
  {
    name: 'MaxPool, Gemm and broadcasting, which mean the same',
    opset: 7,
    dims: [1, 2, 4, 4],
    nodes: [
      { op: 'MaxPool', attributes: { kernel_shape: [2, 2], strides: [2, 2] }, outputs: ['m'] },
      { op: 'Flatten', inputs: ['m'], outputs: ['f'] },
      { op: 'Gemm', inputs: ['f', 'w', 'b'], attributes: { transB: 1 }, outputs: ['g'] },
      { op: 'Add', inputs: ['g', 'b'] },
    ],
    extend: (builder) => {
      builder.initializer(
        'w',
        tensorF32(
          [2, 8],
          Array.from({ length: 16 }, (_, i) => Math.sqrt(i)),
        ),
      );
      builder.initializer('b', tensorF32([2], [1, 2]));
    },
    becomes: ['MaxPool', 'Flatten', 'Gemm', 'Add'],
  },
];

describe('raiseOpset', () => {
  it.each(CASES)('$name computes the same', async ({ opset, dims, nodes, extend, becomes }) => {
    const rank = await outputRank(opset, dims, nodes, extend);
    const model = modelOfNodes(opset, dims, nodes, extend, { dims: rank });
    const raised = raiseOpset(model);
    expect(raised.opset).toBe(OUR_OPSET);
    if (becomes) expect(raised.graph.nodes.map(({ op }) => op)).toEqual(becomes);
    const [before, after] = [await run(model, dims), await run(raised, dims)];
    expect(after).toHaveLength(before.length);
    after.forEach((value, index) => expect(value).toBeCloseTo(before[index], 5));
    expect(readModel(writeModel(raised))).toEqual(raised);
  });

  const refused: readonly (Omit<Case, 'dims'> & { readonly dims?: readonly number[] })[] = [
    {
      name: 'a normalisation of every position',
      opset: 7,
      nodes: [
        {
          op: 'BatchNormalization',
          inputs: ['x', 'gamma', 'beta', 'mean', 'variance'],
          attributes: { spatial: 0 },
        },
      ],
      extend: norm,
    },
    {
      name: 'statistics that are read',
      opset: 9,
      nodes: [
        {
          op: 'BatchNormalization',
          inputs: ['x', 'gamma', 'beta', 'mean', 'variance'],
          outputs: ['z', 'average'],
        },
        { op: 'Relu', inputs: ['average'] },
      ],
      extend: norm,
    },
    {
      name: 'a mask of numbers',
      opset: 9,
      nodes: [
        { op: 'Dropout', outputs: ['z', 'mask'] },
        { op: 'Relu', inputs: ['mask'] },
      ],
    },
    {
      name: 'pixels as one version of TensorFlow placed them',
      opset: 11,
      nodes: [
        {
          op: 'Resize',
          inputs: ['x', '', 'scales'],
          attributes: { coordinate_transformation_mode: 'tf_half_pixel_for_nn' },
        },
      ],
      extend: scales,
    },
    {
      name: 'rounding both up and down',
      opset: 10,
      nodes: [{ op: 'Resize', inputs: ['x', 'factors'] }],
      extend: (builder) => void builder.initializer('factors', tensorF32([4], [1, 1, 2, 0.5])),
    },
  ];
  it.each(refused)('refuses $name and names the node', ({ opset, nodes, extend }) => {
    const model = modelOfNodes(opset, [1, 3, 4, 4], nodes, extend);
    expect(() => raiseOpset(model)).toThrow(
      expect.objectContaining({ fault: 'unsupported', where: expect.stringContaining(nodes[0].op) }),
    );
  });

  it('leaves later models alone and refuses older ones', () => {
    const model = modelOfNodes(19, [1], [{ op: 'Relu' }]);
    expect(raiseOpset(model)).toBe(model);
    expect(() => raiseOpset(modelOfNodes(6, [1], [{ op: 'Relu' }]))).toThrow(ModelError);
  });

  it('gives names that nothing has', () => {
    const nodes = [{ op: 'Squeeze', attributes: { axes: [0] }, outputs: ['y/axes'] }];
    const more = [{ op: 'Unsqueeze', inputs: ['y/axes'], attributes: { axes: [0] } }];
    const raised = raiseOpset(modelOfNodes(9, [1, 2], [...nodes, ...more], undefined, { dims: ['a', 'b'] }));
    expect(readModel(writeModel(raised))).toEqual(raised);
  });
});

const cases = process.env['FACET_CASES'];
describe.skipIf(cases === undefined)('published models of FACET_CASES', () => {
  it.each(['AntiSpoofing_bin_1.5_128.onnx', 'minifas.onnx'])('%s computes the same', async (name) => {
    const path = join(cases!, 'published', name);
    expect(existsSync(path)).toBe(true);
    const model = readModel(readFileSync(path));
    const raised = raiseOpset(model);
    const dims = [1, 3, 128, 128];
    const [before, after] = [await run(model, dims), await run(raised, dims)];
    after.forEach((value, index) => expect(value).toBeCloseTo(before[index], 5));
  });
});

/** The output's rank as names: ONNX Runtime refuses every other, and judges the original, not us. */
async function outputRank(
  opset: number,
  dims: readonly number[],
  nodes: readonly NodeInput[],
  extend: Case['extend'],
): Promise<readonly string[]> {
  for (let rank = 0; rank < 6; rank++) {
    const names = Array.from({ length: rank }, (_, axis) => `axis${axis}`);
    try {
      await run(modelOfNodes(opset, dims, nodes, extend, { dims: names }), dims);
      return names;
    } catch {
      continue;
    }
  }
  throw new Error('no rank fits');
}
