/**
 * ONNX Runtime judges: the float counterpart says what the quantised graph says up to its rounding, and its gradient
 * is its slope.
 */
import { Tensor as OrtTensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { GraphBuilder, modelOf } from '../builder.js';
import { prepare, type PreparedModel } from '../fold/index.js';
import { appendGradients } from '../gradient/index.js';
import type { Model } from '../graph.js';
import { compileForward, compileObjective } from '../objective/index.js';
import { inferShapes } from '../shapes/index.js';
import { N, noise, withSession } from '../shapes/runtime.fixture.js';
import { dynamicConv, halves, IMAGE, type Row, ROWS, Writer } from './cases.fixture.js';
import { inFloat } from './in-float.js';
import { asFloat } from './numbers.js';

const BATCH = 2;

function given(dims: readonly number[], build: Row[2]): { model: Model; prepared: PreparedModel } {
  const b = new Writer();
  b.input('x', 'float32', ['N', ...dims]);
  b.output(build(b), 'float32', ['N', '?'], 'y');
  const graph = b.build('quantised');
  const model = { ...modelOf({ ...graph, outputs: [] }), domains: new Map([['com.microsoft', 1]]) };
  const inputs = new Map([['x', [N, ...dims]]]);
  // The runtime knows shapes of its own outputs; ours are checked when both results are compared.
  const rank = prepare({ ...model, graph }, inputs);
  return {
    model: { ...model, graph: { ...graph, outputs: rank.model.graph.outputs } },
    prepared: rank,
  };
}

const feed = (dims: readonly number[], data: Float32Array) => ({
  x: new OrtTensor('float32', data, [BATCH, ...dims]),
});
const largest = (values: ArrayLike<number>): number => Math.max(...Array.from(values, Math.abs));
const sum = (values: Float32Array, weights: Float32Array): number =>
  values.reduce((s, v, i) => s + v * weights[i], 0);

describe.each(ROWS)('%s', (_, dims, build) => {
  const { model, prepared } = given(dims, build);
  const size = dims.reduce((a, b) => a * b, 1);
  const x = noise(BATCH * size, size).map((v) => 0.95 * v);

  it('computes on floats what the quantised graph computes, up to its rounding', async () => {
    const [want, got] = await Promise.all(
      [model, prepared.model].map((m) => withSession(m, (run) => run(feed(dims, x)))),
    );
    expect(got['y'].dims).toEqual(want['y'].dims);
    const [exact, close] = [want, got].map((results) => results['y'].data as Float32Array);
    expect(largest(exact)).toBeGreaterThan(0.1);
    expect(largest(exact.map((v, i) => v - close[i])) / largest(exact)).toBeLessThan(0.03);
  });

  it('has the slope of that float computation for a gradient', async () => {
    const { graph } = prepared.model;
    const b = new GraphBuilder(graph);
    const [output] = graph.outputs;
    b.input('seed', 'float32', output.dims);
    const gradient = appendGradients(b, graph, prepared.shapes, new Map([['y', 'seed']]), ['x']).get('x')!;
    b.output(gradient, 'float32', ['N', ...dims], 'gradient');
    const found = await withSession(prepared.model, async (run) => {
      const { y } = await run(feed(dims, x));
      const seed = noise(y.data.length, 9);
      const step = 1e-3;
      const slopes = new Float64Array(x.length);
      for (let i = 0; i < x.length; i++) {
        const at = async (by: number): Promise<number> =>
          sum((await run(feed(dims, x.with(i, x[i] + by))))['y'].data as Float32Array, seed);
        slopes[i] = ((await at(step)) - (await at(-step))) / (2 * step);
      }
      return { slopes, seed: new OrtTensor('float32', seed, y.dims) };
    });
    const results = await withSession({ ...prepared.model, graph: b.build('g') }, (run) =>
      run({ ...feed(dims, x), seed: found.seed }),
    );
    const actual = results['gradient'].data as Float32Array;
    const scale = largest(found.slopes);
    expect(scale).toBeGreaterThan(1e-3);
    expect(largest(found.slopes.map((v, i) => v - actual[i])) / scale).toBeLessThan(0.02);
  });
});

describe('where the integer type ends', () => {
  it('the gradient does too', async () => {
    const { prepared } = given([4], (b) =>
      b.real(b.quantised('x', 'uint8', 1 / 256, 128), 'uint8', 1 / 256, 128),
    );
    const b = new GraphBuilder(prepared.model.graph);
    const gradient = appendGradients(b, prepared.model.graph, prepared.shapes, new Map([['y', 'y']]), [
      'x',
    ]).get('x')!;
    b.output(gradient, 'float32', ['N', 4], 'gradient');
    const x = Float32Array.of(-0.6, -0.4, 0.4, 0.6, 2, -2, 0.1, 0.2);
    const results = await withSession({ ...prepared.model, graph: b.build('g') }, (run) => run(feed([4], x)));
    expect(Array.from(results['gradient'].data, (v) => v !== 0)).toEqual([
      false,
      true,
      true,
      false,
      false,
      false,
      true,
      true,
    ]);
  });
});

describe('a graph without quantised nodes', () => {
  it('stays the same object', () => {
    const { prepared } = given([4], (b) => b.node('Tanh', ['x']));
    expect(inFloat(prepared.model.graph, prepared.shapes)).toBe(prepared.model.graph);
  });
});

it('refuses to hand out sums without their scale', () => {
  const b = new Writer();
  b.input('x', 'float32', ['N', ...IMAGE]);
  b.output(dynamicConv(b, 'int8', 0), 'float32', ['N', 4, 6, 6], 'y');
  const graph = b.build('quantised');
  const { outputs } = graph.nodes.find(({ op }) => op === 'Cast')!;
  expect(() => prepare(modelOf(graph), new Map([['x', [N, ...IMAGE]]]), { keep: new Set(outputs) })).toThrow(
    /in units of its quantisation/,
  );
});

it.each([
  [
    'float16',
    Uint16Array.of(0x3c00, 0xc000, 0x3555, 0x0001, 0x7bff),
    [1, -2, 0.333251953125, 2 ** -24, 65504],
  ],
  ['bfloat16', Uint16Array.of(0x3f80, 0xc000, 0x3eab), [1, -2, 0.333984375]],
] as const)('reads %s', (type, data, values) => {
  expect(Array.from(asFloat({ type, dims: [data.length], data }).data as Float32Array)).toEqual(values);
});

it('attacks a network that takes and gives float16, and lets the file decide', async () => {
  const b = new GraphBuilder();
  b.input('image', 'float16', ['N', 3, 4, 4]);
  const y = b.node('Conv', ['image', b.initializer('w', halves([2, 3, 4, 4]))]);
  b.node('Reshape', [y, b.i64([-1, 2])], {}, 'logits');
  b.output('logits', 'float16', ['N', 2]);
  const model = modelOf(b.build('half'));
  const dims = new Map([['image', [N, 3, 4, 4]]]);
  const prepared = prepare(model, dims);
  const input = { name: 'image', scale: [1, 1, 1], offset: [0, 0, -0.5], swapRedBlue: false } as const;
  const pixels = new OrtTensor(
    'float32',
    noise(48).map((v) => 0.5 + v / 2),
    [1, 3, 4, 4],
  );
  const shapes = new Map([...prepared.shapes, ...inferShapes(model.graph, dims)]);
  const [file, float32] = await Promise.all(
    [{ model, shapes }, prepared].map((one) =>
      withSession(compileForward(one, { input, outputs: ['logits'] }), (run) => run({ pixels })),
    ),
  );
  for (const [i, logit] of Array.from(file['logits'].data as Float32Array).entries())
    expect(float32['logits'].data[i]).toBeCloseTo(logit, 1);
  expect(file['logits'].type).toBe('float32');
  const term = { kind: 'group-margin', logits: 'logits', live: [0] } as const;
  const objective = compileObjective(prepared, { input, terms: [{ term, weight: 1 }] });
  const label = new OrtTensor('int64', BigInt64Array.of(0n), [1]);
  const { gradient } = await withSession(objective, (run) => run({ pixels, label }));
  const weights = Array.from(asFloat(halves([2, 3, 4, 4])).data as Float32Array);
  weights.slice(0, 48).forEach((w, i) => expect(gradient.data[i]).toBeCloseTo(weights[48 + i] - w, 4));
});
