import { describe, expect, it } from 'vitest';
import { GraphBuilder, scalarF32, tensorF32 } from '../builder.js';
import type { Dim } from '../graph.js';
import { inferShapes } from './infer.js';
import { graphOf, N, noise } from './runtime.fixture.js';

type Build = (b: GraphBuilder, x: string) => string | readonly string[];

const weight = (b: GraphBuilder, ...dims: number[]) =>
  b.initializer('w', tensorF32(dims, noise(dims.reduce((total, dim) => total * dim, 1))));
const image: readonly Dim[] = [N, 4, 9, 10];
const rows: readonly Dim[] = [N, 5, 6];

describe('inferShapes refuses', () => {
  const refusal = (x: readonly Dim[], build: Build) => {
    try {
      graphOf(new Map([['x', x]]), (b) => build(b, 'x'));
    } catch (error) {
      return error;
    }
    return undefined;
  };

  it.each<[string, string, RegExp, readonly Dim[], Build]>([
    ['an unknown operator', 'unsupported', /Loop/, rows, (b, x) => b.node('Loop', [x])],
    ['another domain', 'unsupported', /acme\.Relu/, rows, (b, x) => b.nodes('Relu', [x], {}, ['r'], 'acme')],
    [
      'channels',
      'invalid',
      /does not fit weight/,
      image,
      (b, x) => b.node('Conv', [x, weight(b, 2, 3, 3, 3)]),
    ],
    ['shapes', 'invalid', /do not broadcast/, rows, (b, x) => b.node('Add', [x, weight(b, 5, 5)])],
    [
      'the batch against a number',
      'invalid',
      /broadcast/,
      rows,
      (b, x) => b.node('Add', [x, weight(b, 2, 5, 6)]),
    ],
    ['a reshape', 'invalid', /reshape/, rows, (b, x) => b.node('Reshape', [x, b.i64([-1, 31])])],
    ['a third summand', 'invalid', /3 inputs instead of 2/, rows, (b, x) => b.node('Add', [x, x, x])],
    [
      'a giant step',
      'limit',
      /strides/,
      [{ perSample: 1 }, 3, 8, 8],
      (b, x) => b.node('AveragePool', [x], { kernel_shape: [2, 2], strides: [2 ** 40, 1] }),
    ],
    [
      'a giant kernel',
      'limit',
      /kernel/,
      [{ perSample: 1 }, 3, 8, 8],
      (b, x) => b.node('MaxPool', [x], { kernel_shape: [2 ** 30, 1], pads: [2 ** 30, 0, 0, 0] }),
    ],
    ['a missing input', 'invalid', /input 1 is missing/, rows, (b, x) => b.node('Add', [x, ''])],
    ['a missing tensor', 'invalid', /nothing computes/, rows, (b, x) => b.node('Add', [x, 'nowhere'])],
    [
      'shapes from data',
      'unsupported',
      /data/,
      [N, 2],
      (b, x) => {
        const sum = b.node('Cast', [b.node('ReduceSum', [x])], { to: 7 });
        return b.node('Expand', [b.f32(0), b.node('Unsqueeze', [sum, b.i64([0])])]);
      },
    ],
    ['giants', 'limit', /elements/, rows, (b) => b.node('ConstantOfShape', [b.i64([2 ** 20, 2 ** 20])])],
    [
      'the square of the batch',
      'unsupported',
      /square/,
      [N, 2],
      (b, x) => b.node('MatMul', [x, b.node('Transpose', [x])]),
    ],
    ['a negative size', 'invalid', /shape|elements/, rows, (b) => b.node('ConstantOfShape', [b.i64([-1])])],
    [
      'a float for an int',
      'invalid',
      /axis/,
      rows,
      (b, x) => b.node('Softmax', [b.node('Concat', [x], { axis: 0.5 })]),
    ],
  ])('%s', (_, fault, message, x, build) => {
    const error = refusal(x, build);
    expect(error).toMatchObject({ name: 'ModelError', fault });
    expect((error as Error).message).toMatch(message);
  });

  it('an input whose size stays open', () => {
    const b = new GraphBuilder();
    b.input('x', 'float32', ['N', 3]);
    b.output(b.node('Relu', ['x']), 'float32', ['N', 3]);
    expect(() => inferShapes(b.build('g'), new Map())).toThrow(/axis 0 \('N'\) is not fixed/);
  });

  it('more activations than the limit, one by one within it', () => {
    const b = new GraphBuilder();
    b.input('x', 'float32', [100]);
    b.node('Relu', [b.node('Relu', [b.node('Add', ['x', b.constant(scalarF32(1))])])]);
    const limits = { elementsPerTensor: 100, totalElements: 350, axes: 4 };
    expect(() => inferShapes(b.build('g'), new Map(), limits)).toThrow(/350/);
  });
});
