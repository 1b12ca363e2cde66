import { describe, expect, it } from 'vitest';
import { float, type GraphBuilder, tensorF32, tensorI64 } from '../builder.js';
import { inferShapes } from '../shapes/infer.js';
import { feedsFor, graphOf, type Inputs, N, noise, withSession } from '../shapes/runtime.fixture.js';
import { prepare, type PrepareOptions } from './prepare.js';

const weight = (b: GraphBuilder, ...dims: number[]) =>
  b.initializer(
    'w',
    tensorF32(
      dims,
      noise(
        dims.reduce((total, dim) => total * dim, 1),
        dims.length,
      ),
    ),
  );

function batchNorm(b: GraphBuilder, x: string, channels: number, name?: string): string {
  const variance = tensorF32(
    [channels],
    noise(channels, 9).map((v) => Math.abs(v) + 0.1),
  );
  const parts = [5, 6, 7].map((seed) => b.initializer('bn', tensorF32([channels], noise(channels, seed))));
  return b.node(
    'BatchNormalization',
    [x, ...parts, b.initializer('bn', variance)],
    { epsilon: float(1e-3) },
    name,
  );
}

/** Prepares, checks that nothing else comes out, and says which operators are left. */
async function prepared(
  inputs: Inputs,
  build: (b: GraphBuilder) => string | readonly string[],
  options?: PrepareOptions,
) {
  const { model } = graphOf(inputs, build);
  const result = prepare(model, inputs, options);
  for (const batch of [1, 3]) {
    const feeds = feedsFor(inputs, batch);
    const expected = await withSession(model, (run) => run(feeds));
    const actual = await withSession(result.model, (run) => run(feeds));
    for (const { name } of model.graph.outputs) {
      expect(actual[name].dims).toEqual(expected[name].dims);
      for (let i = 0; i < expected[name].data.length; i++)
        expect(Number(actual[name].data[i])).toBeCloseTo(Number(expected[name].data[i]), 5);
    }
  }
  return { ...result, graph: result.model.graph, ops: result.model.graph.nodes.map(({ op }) => op) };
}

const image: Inputs = new Map([['x', [N, 4, 6, 6]]]);
const rows: Inputs = new Map([['x', [N, 4]]]);

describe('BatchNormalization', () => {
  it.each<[string, Inputs, readonly string[], (b: GraphBuilder) => string]>([
    ['Conv', image, ['Conv'], (b) => batchNorm(b, b.node('Conv', ['x', weight(b, 6, 4, 3, 3)]), 6)],
    [
      'a grouped Conv with bias',
      image,
      ['Conv'],
      (b) => batchNorm(b, b.node('Conv', ['x', weight(b, 8, 2, 3, 3), weight(b, 8)], { group: 2 }), 8),
    ],
    [
      'a grouped ConvTranspose',
      image,
      ['ConvTranspose'],
      (b) => batchNorm(b, b.node('ConvTranspose', ['x', weight(b, 4, 3, 2, 2)], { group: 2 }), 6),
    ],
    [
      'a Gemm with factors',
      rows,
      ['Gemm'],
      (b) => {
        const factors = { transB: 1, alpha: float(0.5), beta: float(2) };
        return batchNorm(b, b.node('Gemm', ['x', weight(b, 3, 4), weight(b, 1, 3)], factors), 3);
      },
    ],
    ['a MatMul', rows, ['Gemm'], (b) => batchNorm(b, b.node('MatMul', ['x', weight(b, 4, 3)]), 3)],
  ])('folds into %s', async (_, inputs, ops, build) => {
    expect((await prepared(inputs, build)).ops).toEqual(ops);
  });

  it('stays where the tensor in between has another reader, goes out or is to be kept', async () => {
    const conv = (b: GraphBuilder) => b.node('Conv', ['x', weight(b, 4, 4, 1, 1)], {}, 'between');
    const read = await prepared(image, (b) => {
      const between = conv(b);
      return b.node('Add', [between, batchNorm(b, between, 4)]);
    });
    expect(read.ops).toContain('BatchNormalization');
    const out = await prepared(image, (b) => ['between', batchNorm(b, conv(b), 4)]);
    expect(out.ops).toContain('BatchNormalization');
    const kept = await prepared(image, (b) => batchNorm(b, conv(b), 4), { keep: new Set(['between']) });
    expect(kept.shapes.has('between')).toBe(true);
  });

  it('folds once per reader of shared weights', async () => {
    const { ops, graph } = await prepared(image, (b) => {
      const shared = weight(b, 4, 4, 1, 1);
      const [first, second] = [1, 2].map(() => batchNorm(b, b.node('Conv', ['x', shared]), 4));
      return b.node('Add', [first, b.node('Conv', [second, shared])]);
    });
    expect(ops.filter((op) => op === 'BatchNormalization')).toEqual([]);
    expect(graph.initializers.has('w')).toBe(true);
  });
});

describe('what passes its input on', () => {
  it('disappears, and outputs and kept tensors keep their names', async () => {
    const { ops, graph, shapes } = await prepared(
      rows,
      (b) => {
        const same = b.node('Identity', [b.node('Reshape', ['x', b.i64([-1, 4])])]);
        const hidden = b.node('Identity', [b.node('Relu', [same])], {}, 'embedding');
        const [kept] = b.nodes('Dropout', [hidden], {}, [b.fresh('dropped')]);
        return [
          b.node('Identity', [b.node('Neg', [kept])], {}, 'score'),
          b.node('Identity', ['x'], {}, 'copy'),
        ];
      },
      { keep: new Set(['embedding']) },
    );
    expect(ops).toEqual(['Relu', 'Neg', 'Identity']);
    expect(graph.outputs.map(({ name }) => name)).toEqual(['score', 'copy']);
    expect(shapes.get('embedding')?.dims).toEqual([N, 4]);
  });

  it('stays where it does something', async () => {
    const { ops } = await prepared(new Map([['x', [N, 1, 4]]]), (b) => [
      b.node('Cast', ['x'], { to: 6 }),
      b.node('Squeeze', ['x', b.i64([1])]),
      b.node('Slice', ['x', b.i64([-1]), b.i64([-9]), b.i64([2]), b.i64([-1])]),
    ]);
    expect(ops).toEqual(['Cast', 'Squeeze', 'Slice']);
  });
});

describe('shapes that the file computes', () => {
  const batchOf = (b: GraphBuilder, x: string) => b.node('Gather', [b.node('Shape', [x]), b.i64([0])]);
  const withBatch = (b: GraphBuilder, x: string, rest: readonly number[]) =>
    b.node('Concat', [batchOf(b, x), b.i64(rest)], { axis: 0 });

  it.each<[string, string, (b: GraphBuilder) => string]>([
    ['Reshape', 'Reshape', (b) => b.node('Reshape', ['x', withBatch(b, 'x', [2, 72])])],
    [
      'Expand',
      'Expand',
      (b) => b.node('Expand', [b.node('Unsqueeze', ['x', b.i64([1])]), withBatch(b, 'x', [3, 4, 6, 6])]),
    ],
    [
      'Resize',
      'Resize',
      (b) => b.node('Resize', ['x', '', '', withBatch(b, 'x', [4, 9, 13])], { mode: 'linear' }),
    ],
    ['Slice', 'Slice', (b) => b.node('Slice', ['x', b.i64([0, 1]), withBatch(b, 'x', [3]), b.i64([0, 1])])],
  ])('are constants for %s', async (_, op, build) => {
    const { ops, graph } = await prepared(image, (b) => b.node('Relu', [build(b)]));
    expect(ops.filter((name) => name !== 'Unsqueeze')).toEqual([op, 'Relu']);
    const read = graph.nodes
      .find((node) => node.op === op)!
      .inputs.slice(1)
      .filter((name) => name !== '');
    expect(read.every((name) => graph.initializers.has(name))).toBe(true);
  });

  it('fold with all that hangs on them', async () => {
    const { ops, graph } = await prepared(image, (b) => {
      const size = b.node('Gather', [b.node('Shape', ['x']), b.constant(tensorI64([2], []))]);
      const line = b.node(
        'Cast',
        [b.node('Range', [b.constant(tensorI64([0], [])), size, b.constant(tensorI64([1], []))])],
        { to: 1 },
      );
      const kernel = b.node('Transpose', [weight(b, 4, 5)]);
      const scored = b.node('Mul', ['x', b.node('Div', [line, b.f32(5)])]);
      return b.node('Add', [
        b.node('MatMul', [b.node('GlobalAveragePool', [scored]), b.constant(tensorF32([1, 1], [2]))]),
        b.node('ReduceSum', [kernel]),
      ]);
    });
    expect(ops).toEqual(['Mul', 'GlobalAveragePool', 'MatMul', 'Add']);
    expect([...graph.initializers.values()].every(({ data }) => data.length <= 6)).toBe(true);
  });
});

describe('prepare', () => {
  it('names the batch N in inputs and outputs', async () => {
    const inputs: Inputs = new Map([['x', [N, 8, 2]]]);
    const { graph, shapes } = await prepared(inputs, (b) => b.node('Reshape', ['x', b.i64([-1, 4])]));
    expect(graph.inputs).toEqual([{ name: 'x', type: 'float32', dims: ['N', 8, 2] }]);
    expect(graph.outputs[0].dims).toEqual(['4N', 4]);
    expect(shapes).toEqual(inferShapes(graph, inputs));
  });

  it('refuses to keep what is not there', () => {
    const { model } = graphOf(rows, (b) => b.node('Relu', ['x']));
    expect(() => prepare(model, rows, { keep: new Set(['nowhere']) })).toThrow(/'nowhere'/);
  });
});

describe('MaxPool behind Relu', () => {
  const pooled = (b: GraphBuilder): string =>
    b.node('MaxPool', [b.node('Relu', ['x'], {}, 'relu')], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] });

  it('goes first', async () => {
    expect((await prepared(image, pooled)).ops).toEqual(['MaxPool', 'Relu']);
  });

  it.each<[string, (b: GraphBuilder) => readonly string[], PrepareOptions?]>([
    ['has another reader', (b) => [pooled(b), b.node('Neg', ['relu'])]],
    ['is kept', (b) => [pooled(b)], { keep: new Set(['relu']) }],
  ])('stays behind a Relu that %s', async (_, build, options) => {
    expect((await prepared(image, build, options)).ops.slice(0, 2)).toEqual(['Relu', 'MaxPool']);
  });
});

describe('LayerNormalization written out', () => {
  const tokens: Inputs = new Map([['x', [N, 5, 8]]]);
  const constant = (b: GraphBuilder, seed: number): string =>
    b.constant(tensorF32([8], Float32Array.from(noise(8, seed))));
  const written = (b: GraphBuilder, square: (centred: string) => string, axis = -1): string => {
    const mean = b.node('ReduceMean', ['x', b.i64([axis])]);
    const centred = b.node('Sub', ['x', mean], {}, 'centred');
    const variance = b.node('ReduceMean', [square(centred), b.i64([axis])]);
    const deviation = b.node('Sqrt', [b.node('Add', [variance, b.f32(1e-3)])]);
    const scaled = b.node('Mul', [b.node('Div', [centred, deviation]), constant(b, 3)]);
    return b.node('Add', [scaled, constant(b, 4)]);
  };
  const power = (b: GraphBuilder) => (centred: string) => b.node('Pow', [centred, b.f32(2)]);

  it('becomes one operator', async () => {
    const one = await prepared(tokens, (b) => written(b, power(b)));
    expect(one.ops).toEqual(['LayerNormalization']);
    const other = await prepared(tokens, (b) => written(b, (centred) => b.node('Mul', [centred, centred])));
    expect(other.ops).toEqual(['LayerNormalization']);
  });

  it.each<[string, (b: GraphBuilder) => readonly string[], PrepareOptions?]>([
    ['something inside is read elsewhere', (b) => [written(b, power(b)), b.node('Neg', ['centred'])]],
    ['something inside is kept', (b) => [written(b, power(b))], { keep: new Set(['centred']) }],
    ['it is over another axis', (b) => [written(b, power(b), 1)]],
    ['it is no square', (b) => [written(b, (centred) => b.node('Abs', [centred]))]],
  ])('stays where %s', async (_, build, options) => {
    expect((await prepared(tokens, build, options)).ops).not.toContain('LayerNormalization');
  });
});

describe('Softmax behind a mask', () => {
  const scores: Inputs = new Map([['x', [N, 3, 4]]]);
  const masked = (b: GraphBuilder, value: number): string => {
    const mask = b.constant(tensorF32([3, 4], [0, 0, value, value, 0, 0, 0, value, value, 0, 0, 0]));
    return b.node('Softmax', [b.node('Add', ['x', mask])]);
  };

  it('gives out zeros instead of numbers without a leading one', async () => {
    const { ops, model } = await prepared(scores, (b) => masked(b, -100));
    expect(ops).toEqual(['Add', 'Softmax', 'HardSigmoid']);
    const results = await withSession(model, (run) => run(feedsFor(scores, 2)));
    const [probabilities] = Object.values(results).map(({ data }) => data as Float32Array);
    expect(probabilities.filter((p) => p === 0).length).toBe(8);
    expect(probabilities.every((p) => p === 0 || p > 1e-3)).toBe(true);
  });

  it('stays as it is behind a bias', async () => {
    expect((await prepared(scores, (b) => masked(b, -10))).ops).toEqual(['Add', 'Softmax']);
  });
});
