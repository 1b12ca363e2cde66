import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type GraphBuilder, tensorF32, tensorI64 } from '../../builder.js';
import type { Tensor } from '../../graph.js';
import { dimAt, isFixed, perSample } from '../dims.js';
import { infer } from '../infer.js';
import { graphOf, noise, withSession } from '../runtime.fixture.js';
import { BINARY } from './entry.js';
import { tensorOf } from './value.js';

type Build = (b: GraphBuilder) => string | readonly string[];

const f32 = (b: GraphBuilder, ...dims: number[]) =>
  b.constant(
    tensorF32(
      dims,
      noise(
        dims.reduce((total, dim) => total * dim, 1),
        dims.length + 1,
      ).map((v) => v * 3),
    ),
  );
const i64 = (b: GraphBuilder, values: number[], dims?: number[]) => b.constant(tensorI64(values, dims));
const bool = (values: number[]): Tensor => ({
  type: 'bool',
  dims: [values.length],
  data: Uint8Array.from(values),
});

const CASES: readonly [string, Build][] = [
  ...[
    'Add',
    'Sub',
    'Mul',
    'Div',
    'Min',
    'Max',
    'Equal',
    'Less',
    'GreaterOrEqual',
    'LessOrEqual',
    'Greater',
  ].flatMap((op): [string, Build][] => [
    [`${op} of floats`, (b) => b.node(op, [f32(b, 2, 3, 4), f32(b, 3, 1)])],
    [`${op} of integers`, (b) => b.node(op, [i64(b, [-7, 7, 5, 2]), i64(b, [2, -2, 5, 3])])],
  ]),
  ['Pow', (b) => b.node('Pow', [f32(b, 4), b.f32(2)])],
  ['Mod', (b) => b.node('Mod', [i64(b, [-7, 7, -6, 5]), i64(b, [3, -3, 3, 5])])],
  ['Mod like C', (b) => b.node('Mod', [f32(b, 4), b.f32(0.7)], { fmod: 1 })],
  ['And', (b) => b.node('And', [b.constant(bool([0, 0, 1, 1])), b.constant(bool([0, 1, 0, 1]))])],
  ['Or', (b) => b.node('Or', [b.constant(bool([0, 0, 1, 1])), b.constant(bool([0, 1, 0, 1]))])],
  ['Xor', (b) => b.node('Xor', [b.constant(bool([0, 0, 1, 1])), b.constant(bool([0, 1, 0, 1]))])],
  ['Not', (b) => b.node('Not', [b.constant(bool([0, 1]))])],
  ...'Abs Ceil Cos Exp Floor Identity Neg Reciprocal Relu Round Sigmoid Sign Sin Tanh'
    .split(' ')
    .map((op): [string, Build] => [op, (b) => b.node(op, [f32(b, 3, 5)])]),
  ['Round to even', (b) => b.node('Round', [b.constant(tensorF32([5], [0.5, 1.5, 2.5, -0.5, -1.5]))])],
  ['Sqrt and Log', (b) => ['Sqrt', 'Log'].map((op) => b.node(op, [b.node('Abs', [f32(b, 5)])]))],
  ['Cast', (b) => [7, 9, 11, 6].map((to) => b.node('Cast', [f32(b, 6)], { to }))],
  ['Where', (b) => b.node('Where', [b.constant(bool([0, 1, 1])), f32(b, 2, 3), f32(b, 2, 1)])],
  ...['ReduceProd', 'ReduceSum', 'ReduceMean', 'ReduceMax', 'ReduceMin'].map((op): [string, Build] => [
    op,
    (b) => [b.node(op, [f32(b, 2, 3, 4), i64(b, [0, -1])], { keepdims: 0 }), b.node(op, [f32(b, 2, 3, 4)])],
  ]),
  ['Reshape', (b) => b.node('Reshape', [f32(b, 2, 6), i64(b, [3, -1])])],
  [
    'Transpose',
    (b) => [
      b.node('Transpose', [f32(b, 2, 3, 4)]),
      b.node('Transpose', [f32(b, 2, 3, 4)], { perm: [1, 2, 0] }),
    ],
  ],
  [
    'Slice',
    (b) =>
      b.node('Slice', [
        f32(b, 5, 6),
        i64(b, [-1, 1]),
        i64(b, [-9, 2 ** 40]),
        i64(b, [0, 1]),
        i64(b, [-2, 2]),
      ]),
  ],
  ['Expand', (b) => b.node('Expand', [f32(b, 3, 1), i64(b, [2, 1, 4])])],
  ['Tile', (b) => b.node('Tile', [f32(b, 2, 3), i64(b, [2, 3])])],
  ['Gather', (b) => b.node('Gather', [f32(b, 3, 4, 2), i64(b, [-1, 0, 2, 1], [2, 2])], { axis: 1 })],
  ['Concat', (b) => b.node('Concat', [f32(b, 2, 3), f32(b, 2, 1)], { axis: -1 })],
  ['Split', (b) => b.nodes('Split', [f32(b, 2, 5)], { axis: 1, num_outputs: 2 }, ['a', 'b'])],
  ['Pad', (b) => b.node('Pad', [f32(b, 2, 3), i64(b, [1, -1, 0, 2]), b.f32(7)])],
  ['ScatterND', (b) => b.node('ScatterND', [f32(b, 4, 3), i64(b, [2, -4], [2, 1]), f32(b, 2, 3)])],
  ['ConstantOfShape', (b) => b.node('ConstantOfShape', [i64(b, [2, 2])], { value: tensorI64([-1]) })],
  [
    'Range',
    (b) => [
      b.node('Range', [b.f32(1), b.f32(-1), b.f32(-0.3)]),
      b.node('Range', [i64(b, [2], []), i64(b, [9], []), i64(b, [3], [])]),
    ],
  ],
  ['Shape and Size', (b) => [b.node('Shape', [f32(b, 2, 3)]), b.node('Size', [f32(b, 2, 3)])]],
];

describe('evaluate computes what ONNX Runtime does', () => {
  it.each(CASES)('%s', async (_, build) => {
    const { graph, model } = graphOf(new Map(), build);
    const { values } = infer(graph, new Map());
    await withSession(model, async (run) => {
      const results = await run({});
      for (const { name } of graph.outputs) {
        const tensor = tensorOf(values.get(name)!)!;
        expect([tensor.type, [...tensor.dims]]).toEqual([results[name].type, [...results[name].dims]]);
        const [got, want] = [tensor.data, results[name].data].map((data) => Array.from(data, Number));
        for (const [i, value] of want.entries()) expect(got[i]).toBeCloseTo(value, 5);
      }
    });
  });
});

describe('arithmetic with the batch size', () => {
  const entry = fc.oneof(
    fc.integer({ min: -6, max: 6 }),
    fc.integer({ min: -6, max: 6 }).map((k) => perSample(k)),
  );
  const withMultiples = Object.entries(BINARY).filter(([, { multiples }]) => multiples !== undefined);

  it.each(withMultiples)('%s of k x N holds at every N', (_, { numbers, whole, multiples }) => {
    fc.assert(
      fc.property(entry, entry, fc.integer({ min: 1, max: 30 }), (a, b, n) => {
        fc.pre(!(isFixed(a) && isFixed(b)) && b !== 0);
        const result = multiples!(a, b, true);
        if (result === undefined) return;
        expect(dimAt(result, n) + 0).toBe((whole ?? numbers)(dimAt(a, n), dimAt(b, n)) + 0);
      }),
    );
  });

  it('knows that no batch size is -1, and not whether it is 1', () => {
    expect(BINARY['Equal'].multiples!(perSample(1), -1, true)).toBe(0);
    expect(BINARY['Equal'].multiples!(perSample(1), 1, true)).toBeUndefined();
  });
});
