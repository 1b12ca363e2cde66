import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { float, GraphBuilder, modelOf, tensorF32 } from '../../builder.js';
import { bare, writeModel } from '../../file/index.js';
import type { Model } from '../../graph.js';
import { noise } from '../cases.fixture.js';
import { compileTraining } from '../compile.js';
import { initialState } from '../state.js';
import { layInBlocks, NCHWC } from './index.js';

const N = 3;
const SIZE = 16;
/** Rounding of float32, relative to the largest value of a tensor. */
const TOLERANCE = 2e-4;
/** What is left of a gradient that cancels: of a bias in front of a normalisation. */
const ROUNDING = 1e-5;

const open = (model: Model): Promise<InferenceSession> =>
  InferenceSession.create(writeModel(bare(model)), {
    graphOptimizationLevel: 'extended',
    logSeverityLevel: 4,
  });

/** Channels of a block on this machine, 1 where there are none. */
async function blockOf(): Promise<number> {
  const b = new GraphBuilder();
  b.input('x', 'float32', [1, 64, 1, 2]);
  b.nodes('ReorderInput', ['x'], {}, ['y'], NCHWC);
  b.output('y', 'float32', [1, 64, 1, 2]);
  const model = { ...modelOf(b.build('blocks')), domains: new Map([[NCHWC, 1]]) };
  const session = await open(model).catch(() => undefined);
  if (session === undefined) return 1;
  const x = new OrtTensor(
    'float32',
    Float32Array.from({ length: 128 }, (_, i) => i),
    [1, 64, 1, 2],
  );
  return ((await session.run({ x })).y.data as Float32Array).indexOf(1);
}

/** Every operator that there is a form on blocks for, beside such as have none, and every way from one to the other. */
function network(): Model {
  const b = new GraphBuilder();
  let seed = 1;
  const weight = (name: string, dims: readonly number[], around = 0): string => {
    const size = dims.reduce((a, n) => a * n, 1);
    return b.initializer(
      name,
      tensorF32(
        dims,
        noise(size, seed++).map((v) => around + 0.4 * v),
      ),
    );
  };
  const conv = (name: string, x: string, dims: readonly number[], options = {}): string => {
    const pad = (dims[2] - 1) / 2;
    const attributes = { pads: [pad, pad, pad, pad], kernel_shape: dims.slice(2), ...options };
    return b.node('Conv', [x, weight(`${name}.w`, dims), weight(`${name}.b`, [dims[0]])], attributes, name);
  };
  const norm = (name: string, x: string, n: number): string => {
    const inputs = [
      weight(`${name}.scale`, [n], 1),
      weight(`${name}.shift`, [n]),
      weight(`${name}.mean`, [n]),
      weight(`${name}.variance`, [n], 1),
    ];
    return b.node('BatchNormalization', [x, ...inputs], { epsilon: float(1e-5), momentum: float(0.9) }, name);
  };
  const relu = (x: string): string => b.node('Relu', [x]);
  const two = { kernel_shape: [2, 2], strides: [2, 2] };

  b.input('pixels', 'float32', ['N', 2, SIZE, SIZE]);
  const first = b.node('MaxPool', [relu(norm('n1', conv('c1', 'pixels', [16, 2, 3, 3]), 16))], two);
  const second = relu(norm('n2', conv('c2', first, [32, 16, 3, 3]), 32));
  const branch = norm('n3', conv('c3', second, [32, 32, 1, 1]), 32);
  const sum = relu(b.node('Add', [second, branch]));
  // Four channels fill no block, of 8 or of 16 as processors have them, and groups have no form on blocks.
  const odd = relu(norm('n4', conv('c4', sum, [4, 32, 3, 3]), 4));
  const back = conv('c5', odd, [16, 4, 3, 3]);
  const grouped = relu(conv('c6', sum, [16, 16, 3, 3], { group: 2 }));
  const both = b.node('Concat', [back, grouped], { axis: 1 });
  const normed = relu(norm('n7', b.node('AveragePool', [both], two), 32));
  const strided = b.node('Sigmoid', [conv('c8', normed, [16, 32, 3, 3], { strides: [2, 2] })]);
  const map = conv('map', normed, [1, 32, 3, 3]);
  const flat = b.node('Flatten', [b.node('GlobalAveragePool', [strided])], { axis: 1 });
  const logits = b.node('Gemm', [flat, weight('g.w', [3, 16]), weight('g.b', [3])], { transB: 1 }, 'logits');
  b.output(logits, 'float32', ['N', 3]);
  b.output(map, 'float32', ['N', 1, SIZE / 4, SIZE / 4]);
  return modelOf(b.build('blocks'));
}

const SPEC = {
  input: 'pixels',
  channels: 2,
  height: SIZE,
  width: SIZE,
  losses: [
    { name: 'class', kind: 'cross-entropy', output: 'logits', target: 't1', mask: 'm1', weight: 1 },
    { name: 'map', kind: 'mean-squared-error', output: 'map', target: 't2', mask: 'm2', weight: 0.5 },
  ],
} as const;

it.each([8, 16])('is on blocks of %i channels wherever there is a form on blocks', (channels) => {
  const laid = layInBlocks(compileTraining(network(), SPEC).model, channels, N);
  const ops = laid.graph.nodes.filter(({ domain }) => domain === NCHWC).map(({ op }) => op);
  expect(new Set(ops)).toEqual(
    new Set([
      ...['ReorderInput', 'ReorderOutput', 'Conv', 'MaxPool', 'AveragePool', 'GlobalAveragePool'],
      'Upsample',
    ]),
  );
});

it('computes what the step computes without blocks', async ({ skip }) => {
  const block = await blockOf();
  skip(block === 1, 'the runtime knows no blocks on this processor');
  const model = network();
  const step = compileTraining(model, SPEC);
  const laid = layInBlocks(step.model, block, N);
  const state = initialState(model, step);
  const feeds = Object.fromEntries(
    step.model.graph.inputs.map(({ name, type, dims }, i) => {
      const sizes = dims.map((dim) => (typeof dim === 'number' ? dim : N));
      const values = noise(
        sizes.reduce((a, n) => a * n, 1),
        90 + i,
      );
      const data = state.get(name)?.data ?? (name.startsWith('m') ? values.map(() => 1) : values);
      return [
        name,
        type === 'int64'
          ? new OrtTensor('int64', BigInt64Array.of(0n, 2n, 1n), sizes)
          : new OrtTensor('float32', Float32Array.from(data as Float32Array), sizes),
      ];
    }),
  );
  const [plain, blocked] = await Promise.all(
    [step.model, laid].map(async (one) => (await open(one)).run(feeds)),
  );
  for (const { name } of step.model.graph.outputs) {
    const [expected, found] = [plain, blocked].map((results) => results[name].data as Float32Array);
    const largest = Math.max(...expected.map(Math.abs));
    const error = Math.max(...expected.map((value, i) => Math.abs(value - found[i])));
    expect(error, name).toBeLessThan(TOLERANCE * largest + ROUNDING);
  }
});
