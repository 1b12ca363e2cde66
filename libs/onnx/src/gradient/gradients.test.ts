/** How gradients are gathered over a graph, what ties give, and what is refused. */
import { describe, expect, it } from 'vitest';
import { GraphBuilder, modelOf, tensorF32 } from '../builder.js';
import type { Dim } from '../graph.js';
import { inferShapes } from '../shapes/index.js';
import { noise, run, weight } from './differences.fixture.js';
import { appendGradients, differentiable } from './gradients.js';

/** The gradient of the sum of `output` with respect to `x`, which holds `data`. */
async function gradientOfSum(
  dims: readonly number[],
  data: Float32Array,
  build: (b: GraphBuilder) => string,
): Promise<Float32Array> {
  const b = new GraphBuilder();
  b.input('x', 'float32', dims);
  const output = build(b);
  const graph = b.build('case');
  const shapes = inferShapes(graph, new Map([['x', dims]]));
  const full = new GraphBuilder(graph);
  const sizes = shapes.get(output)!.dims as readonly number[];
  const ones = tensorF32(sizes, new Float32Array(sizes.reduce((a, n) => a * n, 1)).fill(1));
  const gradients = appendGradients(full, graph, shapes, new Map([[output, full.constant(ones)]]), ['x']);
  full.output(gradients.get('x')!, 'float32', dims, 'gradient');
  return (await run(modelOf(full.build('gradient')), { x: { dims, data } }))['gradient'].data;
}

describe('where elements tie', () => {
  const flat = new Float32Array(36).fill(0.5);
  const total = (data: Float32Array): number => data.reduce((a, v) => a + v, 0);

  it.each([
    ['windows side by side', { kernel_shape: [2, 2], strides: [2, 2] }, 9],
    ['windows that overlap', { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }, 9],
    ['windows at every place', { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }, 36],
    ['large windows', { kernel_shape: [7, 7], strides: [3, 3], pads: [3, 3, 3, 3] }, 4],
  ])('a MaxPool of %s gives each window one gradient', async (_, attributes, windows) => {
    const gradient = await gradientOfSum([1, 1, 6, 6], flat, (b) => b.node('MaxPool', ['x'], attributes));
    expect(total(gradient)).toBeCloseTo(windows, 4);
  });

  it.each([
    ['padded in front', { pads: [1, 1, 1, 1] }],
    ['reaching over the end', { ceil_mode: 1 }],
  ])('a MaxPool on whole blocks of channels, windows %s, gives each window one gradient', async (_, form) => {
    const attributes = { kernel_shape: [3, 3], strides: [2, 2], ...form };
    for (const values of [() => 0, () => 0.5, () => -1, (i: number) => (i * 7) % 3]) {
      const x = Float32Array.from({ length: 16 * 48 }, (__, i) => values(i));
      const gradient = await gradientOfSum([1, 16, 6, 8], x, (b) => b.node('MaxPool', ['x'], attributes));
      expect(gradient.every(Number.isInteger)).toBe(true);
      expect(total(gradient)).toBe(16 * 12);
    }
  });

  it('a MaxPool shares the gradient of a window evenly', async () => {
    const x = Float32Array.of(1, 1, 0, 3, 0, 1, 3, 2);
    const gradient = await gradientOfSum([1, 1, 2, 4], x, (b) =>
      b.node('MaxPool', ['x'], { kernel_shape: [2, 2], strides: [2, 2] }),
    );
    const third = Math.fround(1 / 3);
    expect([...gradient]).toEqual([third, third, 0, 0.5, 0, third, 0.5, 0]);
    const blocked = await gradientOfSum(
      [1, 16, 2, 4],
      Float32Array.from({ length: 128 }, (_, i) => x[i % 8]),
      (b) => b.node('MaxPool', ['x'], { kernel_shape: [2, 2], strides: [2, 2] }),
    );
    expect([...blocked]).toEqual(Array.from({ length: 16 }, () => [...gradient]).flat());
  });

  it('Max, ReduceMax and GlobalMaxPool share it too', async () => {
    const x = flat.slice(0, 4);
    const max = await gradientOfSum([1, 1, 2, 2], x, (b) => b.node('Max', ['x', b.f32(0.5)]));
    const reduced = await gradientOfSum([1, 1, 2, 2], x, (b) => b.node('ReduceMax', ['x', b.i64([3])]));
    const global = await gradientOfSum([1, 1, 2, 2], x, (b) => b.node('GlobalMaxPool', ['x']));
    expect([max, reduced, global].map((g) => [...g])).toEqual([
      [0.5, 0.5, 0.5, 0.5],
      [0.5, 0.5, 0.5, 0.5],
      [0.25, 0.25, 0.25, 0.25],
    ]);
  });

  it('Clip passes at its bounds', async () => {
    const x = Float32Array.of(-1, 0, 0.5, 1, 2);
    const gradient = await gradientOfSum([5], x, (b) => b.node('Clip', ['x', b.f32(0), b.f32(1)]));
    expect([...gradient]).toEqual([0, 1, 1, 1, 0]);
  });
});

describe('a strided Conv in front of a pool on planes', () => {
  it.each<Record<'kernel_shape' | 'strides', readonly number[]> & Record<string, readonly number[]>>([
    { kernel_shape: [7, 7], strides: [2, 2], pads: [3, 3, 3, 3] },
    { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] },
    { kernel_shape: [4, 6], strides: [2, 2], pads: [2, 2, 1, 3] },
    { kernel_shape: [5, 3], strides: [2, 2], pads: [4, 2, 4, 2], dilations: [2, 2] },
    { kernel_shape: [4, 4], strides: [3, 2], pads: [4, 2, 2, 1] },
  ])('has the gradient that it has of whole maps: %j', async (convolution) => {
    const dims = [2, 3, 12 * convolution.strides[0], 16];
    const through = (between: (b: GraphBuilder, maps: string) => string) =>
      gradientOfSum(
        dims,
        noise(
          dims.reduce((a, n) => a * n, 1),
          3,
        ),
        (b) => {
          const maps = b.node(
            'Conv',
            ['x', b.constant(weight(16, 3, ...convolution.kernel_shape))],
            convolution,
          );
          const pooled = b.node('MaxPool', [between(b, maps)], {
            kernel_shape: [3, 3],
            strides: [2, 2],
            pads: [1, 1, 1, 1],
          });
          return b.node('Mul', [pooled, pooled]);
        },
      );
    const onPlanes = await through((_, maps) => maps);
    const onWhole = await through((b, maps) => b.node('Neg', [b.node('Neg', [maps])]));
    onPlanes.forEach((value, i) => expect(value).toBeCloseTo(onWhole[i], 3));
    expect(Math.max(...onWhole)).toBeGreaterThan(1);
  });
});

describe('appendGradients', () => {
  const dims: readonly Dim[] = [{ perSample: 1 }, 4];

  it('stops at intermediate tensors, and gives those and the input at once', async () => {
    const b = new GraphBuilder();
    b.input('x', 'float32', ['N', 4]);
    b.node('Mul', ['x', b.f32(3)], {}, 'middle');
    b.node('Mul', ['middle', 'middle'], {}, 'y');
    const graph = b.build('case');
    const shapes = inferShapes(graph, new Map([['x', dims]]));
    const full = new GraphBuilder(graph);
    full.input('seed', 'float32', ['N', 4]);
    const gradients = appendGradients(full, graph, shapes, new Map([['y', 'seed']]), ['middle', 'x']);
    for (const name of ['middle', 'x']) full.output(gradients.get(name)!, 'float32', ['N', 4], `d_${name}`);
    const x = noise(8, 1);
    const result = await run(modelOf(full.build('gradient')), {
      x: { dims: [2, 4], data: x },
      seed: { dims: [2, 4], data: new Float32Array(8).fill(1) },
    });
    x.forEach((value, i) => {
      expect(result['d_middle'].data[i]).toBeCloseTo(6 * value, 5);
      expect(result['d_x'].data[i]).toBeCloseTo(18 * value, 5);
    });
  });

  it('says nothing of a tensor that the seeds do not depend on', () => {
    const b = new GraphBuilder();
    b.input('x', 'float32', ['N', 4]);
    b.input('z', 'float32', ['N', 4]);
    b.node('Exp', ['x'], {}, 'y');
    const graph = b.build('case');
    const shapes = inferShapes(graph, new Map(['x', 'z'].map((name) => [name, dims])));
    const gradients = appendGradients(b, graph, shapes, new Map([['y', 'y']]), ['x', 'z']);
    expect([...gradients.keys()]).toEqual(['x']);
  });

  it('adds nodes for the wanted path only', () => {
    const b = new GraphBuilder();
    b.input('x', 'float32', ['N', 4]);
    b.node('Exp', ['x'], {}, 'y');
    b.node('Sin', ['x'], {}, 'beside');
    const graph = b.build('case');
    const shapes = inferShapes(graph, new Map([['x', dims]]));
    appendGradients(b, graph, shapes, new Map([['y', 'y']]), ['x']);
    const appended = b.build('gradient').nodes.slice(graph.nodes.length);
    expect(appended.map((node) => node.op)).toEqual(['Mul']);
  });
});

describe('parts of a tensor', () => {
  const appended = (build: (b: GraphBuilder) => string): string[] => {
    const b = new GraphBuilder();
    b.input('x', 'float32', ['N', 6]);
    const y = build(b);
    const graph = b.build('case');
    const shapes = inferShapes(graph, new Map([['x', [{ perSample: 1 }, 6]]]));
    appendGradients(b, graph, shapes, new Map([[y, y]]), ['x']);
    const nodes = b.build('gradient').nodes.slice(graph.nodes.length);
    return nodes.map((node) => node.op).filter((op) => ['Pad', 'Sum', 'Add', 'Concat'].includes(op));
  };
  const slice = (b: GraphBuilder, from: number, to: number): string =>
    b.node('Slice', ['x', b.i64([from]), b.i64([to]), b.i64([1])]);

  it('are joined where they tile it', () => {
    const roll = appended((b) => b.node('Concat', [slice(b, 2, 6), slice(b, 0, 2)], { axis: 1 }));
    // The pads are still there, but nothing reads them.
    expect(roll.at(-1)).toBe('Concat');
  });

  it.each([
    ['overlap', 0, 3, 2, 6],
    ['leave elements out', 0, 2, 3, 6],
    ['do not reach the end', 0, 3, 3, 5],
  ])('are summed where they %s', async (_, a, b, c, d) => {
    const gradient = await gradientOfSum([1, 6], noise(6, 1), (builder) => {
      builder.node('Slice', ['x', builder.i64([a]), builder.i64([b]), builder.i64([1])], {}, 'first');
      builder.node('Slice', ['x', builder.i64([c]), builder.i64([d]), builder.i64([1])], {}, 'second');
      return builder.node('Concat', ['first', 'second'], { axis: 1 });
    });
    const counts = Array.from({ length: 6 }, (__, i) => Number(i >= a && i < b) + Number(i >= c && i < d));
    expect([...gradient]).toEqual(counts);
  });

  it('are put where they were', async () => {
    const x = noise(6, 1);
    const gradient = await gradientOfSum([1, 6], x, (b) => {
      const rolled = b.node('Concat', [slice(b, 2, 6), slice(b, 0, 2)], { axis: 1 });
      return b.node('Mul', [rolled, b.constant(tensorF32([1, 6], [1, 2, 3, 4, 5, 6]))]);
    });
    expect([...gradient]).toEqual([5, 6, 1, 2, 3, 4]);
  });
});

describe('a function written out in several operators', () => {
  it('gives the gradients of tensors inside it too', async () => {
    const b = new GraphBuilder();
    b.input('x', 'float32', ['N', 4]);
    b.node('Erf', [b.node('Div', ['x', b.f32(Math.SQRT2)])], {}, 'erf');
    const product = b.node('Mul', ['x', b.node('Add', ['erf', b.f32(1)])]);
    b.node('Mul', [product, b.f32(0.5)], {}, 'y');
    const graph = b.build('case');
    const shapes = inferShapes(graph, new Map([['x', [{ perSample: 1 }, 4]]]));
    const full = new GraphBuilder(graph);
    const seed = full.constant(tensorF32([1, 4], [1, 1, 1, 1]));
    const gradients = appendGradients(full, graph, shapes, new Map([['y', seed]]), ['x', 'erf']);
    for (const name of ['x', 'erf']) full.output(gradients.get(name)!, 'float32', ['N', 4], `d_${name}`);
    const x = Float32Array.of(-2, -0.5, 0.5, 2);
    const result = await run(modelOf(full.build('gradient')), { x: { dims: [1, 4], data: x } });
    x.forEach((value, i) => expect(result['d_erf'].data[i]).toBeCloseTo(value / 2, 6));
    expect(result['d_x'].data[0] + result['d_x'].data[3]).toBeCloseTo(1, 6);
  });
});

describe('an operator without a gradient', () => {
  const b = new GraphBuilder();
  b.input('x', 'float32', ['N', 4]);
  b.node('Sin', ['x'], {}, 'fine');
  b.node('Round', ['fine'], {}, 'rounded');
  b.node('Exp', ['rounded'], {}, 'y');
  const graph = b.build('case');
  const shapes = inferShapes(graph, new Map([['x', [{ perSample: 1 }, 4]]]));
  const seeds = new Map([['y', 'y']]);

  it('is refused by name on the path', () => {
    expect(() => appendGradients(new GraphBuilder(graph), graph, shapes, seeds, ['x'])).toThrow(
      /rounded.*Round has no gradient here.*What does not pass through it can still be attacked/,
    );
    expect(differentiable(graph, shapes, ['x'], ['y'])?.op).toBe('Round');
  });

  it('does no harm off the path', () => {
    expect(differentiable(graph, shapes, ['rounded'], ['y'])).toBeUndefined();
    expect(differentiable(graph, shapes, ['x'], ['fine'])).toBeUndefined();
  });

  it('is named where a path is quantised', () => {
    const quantised = new GraphBuilder();
    quantised.input('x', 'float32', ['N', 4]);
    const scale = quantised.f32(0.1);
    const q = quantised.node('QuantizeLinear', ['x', scale]);
    const y = quantised.node('Add', ['x', quantised.node('DequantizeLinear', [q, scale])]);
    const given = quantised.build('case');
    const known = inferShapes(given, new Map([['x', [{ perSample: 1 }, 4]]]));
    expect(differentiable(given, known, ['x'], [y])?.op).toBe('DequantizeLinear');
  });

  it('counts where it has a rule that does not know its form', () => {
    const resized = new GraphBuilder();
    resized.input('x', 'float32', ['N', 1, 4, 4]);
    const scales = resized.constant(tensorF32([4], [1, 1, 0.5, 0.5]));
    const y = resized.node('Resize', ['x', '', scales], { mode: 'linear', antialias: 1 });
    const given = resized.build('case');
    const known = inferShapes(given, new Map([['x', [{ perSample: 1 }, 1, 4, 4]]]));
    expect(differentiable(given, known, ['x'], [y])?.op).toBe('Resize');
  });
});
