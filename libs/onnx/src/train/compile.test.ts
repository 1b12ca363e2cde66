import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { GraphBuilder, modelOf, tensorF32 } from '../builder.js';
import { writeModel } from '../file/index.js';
import type { Model } from '../graph.js';
import { CASES, loss, noise, SIZE } from './cases.fixture.js';
import { compileTraining, type TrainingStep } from './compile.js';
import { differences, forward, lossesOf, momentsOf, type Values, type Wide } from './reference.fixture.js';
import { gradientOf, nextOf, type TrainingSpec } from './spec.js';
import { inferenceModel, initialState } from './state.js';

const N = 4;
const RATE = 0.3;

const specOf = (losses: TrainingSpec['losses']): TrainingSpec => ({
  input: 'pixels',
  channels: 2,
  height: SIZE,
  width: SIZE,
  losses,
});

/** Pixels, targets, masks and weights, at float32 precision. */
function valuesOf(
  model: Model,
  step: TrainingStep,
  spec: TrainingSpec,
  masks: (i: number) => number,
): Values {
  const weights = initialState(model, step);
  let seed = 50;
  return Object.fromEntries(
    step.model.graph.inputs.map((input): [string, Wide] => {
      const dims = input.dims.map((dim) => (typeof dim === 'number' ? dim : N));
      const length = dims.reduce((a, n) => a * n, 1);
      const { name } = input;
      const random = noise(length, seed++);
      const data = Float64Array.from(
        weights.has(name)
          ? (weights.get(name)!.data as Float32Array)
          : spec.losses.some((l) => l.mask === name)
            ? Array.from({ length }, (_, i) => masks(i))
            : name.startsWith('target/') && name !== 'target/depth'
              ? random.map((v) => (v > 0 ? 1 : 0))
              : random,
      );
      return [name, { dims, data }];
    }),
  );
}

const session = (model: Model): Promise<InferenceSession> =>
  InferenceSession.create(writeModel(model), { logSeverityLevel: 3, graphOptimizationLevel: 'extended' });

function feedsOf({ model: { graph } }: TrainingStep, values: Values): Record<string, OrtTensor> {
  return Object.fromEntries(
    graph.inputs.map(({ name, type }) => {
      const { dims, data } = values[name];
      return [
        name,
        type === 'int64'
          ? new OrtTensor(
              'int64',
              BigInt64Array.from(data, (v) => BigInt(v)),
              dims,
            )
          : new OrtTensor('float32', Float32Array.from(data), dims),
      ];
    }),
  );
}

async function run(step: TrainingStep, values: Values): Promise<Record<string, Float32Array>> {
  const opened = await session(step.model);
  try {
    const results = await opened.run(feedsOf(step, values));
    return Object.fromEntries(
      Object.entries(results).map(([name, tensor]) => [name, Float32Array.from(tensor.data as Float32Array)]),
    );
  } finally {
    await opened.release();
  }
}

/** Up to 12 indices, spread evenly: differences of a convolution in float64 take their time. */
const chosen = (length: number): number[] =>
  Array.from({ length: Math.min(length, 12) }, (_, i) => Math.floor((i * length) / Math.min(length, 12)));

/** Asserts that two lists agree, relative to the largest element. */
function close(actual: ArrayLike<number>, expected: ArrayLike<number>, name: string): void {
  const scale = Math.max(1e-2, ...Array.from(expected, Math.abs));
  const error = Math.max(...Array.from(expected, (value, i) => Math.abs(value - actual[i]))) / scale;
  expect(actual.length, name).toBe(expected.length);
  expect(error, name).toBeLessThan(2e-4);
}

describe.each(Object.entries(CASES))('compileTraining: %s', (_, build) => {
  const { model, losses } = build();
  const spec = specOf(losses);
  const step = compileTraining(model, spec);

  it.each([
    ['all samples', () => 1],
    ['some samples masked', (i: number) => i % 2],
  ])('equals a step in float64: %s', async (_name, masks) => {
    const values = valuesOf(model, step, spec, masks);
    const results = await run(step, values);
    const tensors = forward(model.graph, values);

    lossesOf(model.graph, spec, values).forEach((value, i) => {
      expect(results[`loss/${losses[i].name}`][0]).toBeCloseTo(value, 5);
    });
    for (const { name } of step.weights) {
      const at = chosen(values[name].data.length);
      const gradient = results[gradientOf(name)];
      close(
        at.map((i) => gradient[i]),
        differences(model.graph, spec, values, name, at),
        name,
      );
    }
    for (const node of model.graph.nodes) {
      if (node.op !== 'BatchNormalization') continue;
      const { mean, variance, count } = momentsOf(tensors[node.inputs[0]]);
      const [, , , meanName, varName] = node.inputs;
      close(
        results[nextOf(meanName)],
        values[meanName].data.map((v, c) => 0.8 * v + 0.2 * mean[c]),
        meanName,
      );
      const unbiased = variance.map((v) => (v * count) / (count - 1));
      close(
        results[nextOf(varName)],
        values[varName].data.map((v, c) => 0.8 * v + 0.2 * unbiased[c]),
        varName,
      );
    }
  });

  it('has no loss and no gradient where no sample counts', async () => {
    const values = valuesOf(model, step, spec, () => 0);
    const results = await run(step, values);
    for (const { name } of losses) expect(results[`loss/${name}`][0]).toBe(0);
    for (const { name } of step.weights) expect(results[gradientOf(name)].every((g) => g === 0)).toBe(true);
  });
});

describe('fine-tuning and adversarial losses', () => {
  const { model } = CASES['convolution, normalisation, ReLU, pool']();
  const losses = [
    { ...loss('live', 'group-cross-entropy', 0.7), live: [1] },
    { ...loss('live', 'consistency', 3), name: 'twin', target: 'target/twin', mask: 'mask/twin' },
  ];

  it.each(['batch', 'frozen'] as const)('equal a step in float64: %s statistics', async (batchNorm) => {
    const spec = { ...specOf(losses), batchNorm };
    const step = compileTraining(model, spec);
    const values = valuesOf(model, step, spec, (i) => i % 2);
    const partners = { dims: [N], data: Float64Array.from([0, 0, 3, 2]) };
    const given: typeof values = { ...values, 'target/twin': partners };
    const results = await run(step, given);
    lossesOf(model.graph, spec, given).forEach((value, i) => {
      expect(results[`loss/${losses[i].name}`][0]).toBeCloseTo(value, 5);
    });
    for (const { name } of step.weights) {
      const at = chosen(given[name].data.length);
      close(
        at.map((i) => results[gradientOf(name)][i]),
        differences(model.graph, spec, given, name, at),
        name,
      );
    }
    expect(step.moments).toHaveLength(batchNorm === 'frozen' ? 0 : 4);
  });
});

describe('training', () => {
  const { model, losses } = CASES['convolution, normalisation, ReLU, pool']();
  const step = compileTraining(model, specOf(losses));

  async function train(steps: number): Promise<{ losses: number[]; state: Map<string, Float32Array> }> {
    const opened = await session(step.model);
    const feeds = feedsOf(
      step,
      valuesOf(model, step, specOf(losses), () => 1),
    );
    const totals: number[] = [];
    for (let i = 0; i < steps; i++) {
      const results = await opened.run(feeds);
      totals.push(losses.reduce((sum, { name }) => sum + Number(results[`loss/${name}`].data[0]), 0));
      for (const { name, dims } of step.weights) {
        const gradient = results[gradientOf(name)].data as Float32Array;
        const next = (feeds[name].data as Float32Array).map((w, j) => w - RATE * gradient[j]);
        feeds[name] = new OrtTensor('float32', next, dims);
      }
      for (const { name } of step.moments) feeds[name] = results[nextOf(name)];
    }
    await opened.release();
    return {
      losses: totals,
      state: new Map(
        [...step.weights, ...step.moments].map(({ name }) => [name, feeds[name].data as Float32Array]),
      ),
    };
  }

  it('learns, and the same way twice', async () => {
    const [first, second] = [await train(30), await train(30)];
    expect(first.losses[29]).toBeLessThan(0.5 * first.losses[0]);
    expect(second).toEqual(first);
  });

  it('gives a model for inference with what was learnt', async () => {
    const { state } = await train(3);
    const trained = inferenceModel(
      model,
      new Map(
        [...state].map(([name, data]) => [name, tensorF32(initialState(model, step).get(name)!.dims, data)]),
      ),
    );
    expect([...trained.graph.initializers.keys()]).toEqual([...model.graph.initializers.keys()]);
    expect(trained.graph.initializers.get('norm.mean')!.data).toEqual(state.get('norm.mean'));
    expect(trained.graph.initializers.get('live.w')!.data).not.toEqual(
      model.graph.initializers.get('live.w')!.data,
    );
    const opened = await session(trained);
    const pixels = new OrtTensor('float32', noise(2 * SIZE * SIZE, 1), [1, 2, SIZE, SIZE]);
    const { live } = await opened.run({ pixels });
    await opened.release();
    expect(live.dims).toEqual([1, 2]);
    expect(() => inferenceModel(model, new Map([['live.w', tensorF32([1], [0])]]))).toThrow(
      /live.w: is float32/,
    );
  });

  it('counts a loss as a reader of its tensor', async () => {
    // The loss meets the normalisation at the convolution's output, and the pool at the ReLU's.
    const spec = specOf([...losses, loss('conv', 'mean-squared-error'), loss('relu', 'mean-squared-error')]);
    const values = valuesOf(model, compileTraining(model, spec), spec, () => 1);
    const results = await run(compileTraining(model, spec), values);
    const [gradient] = differences(model.graph, spec, values, 'conv.w', [0]);
    expect(results[gradientOf('conv.w')][0]).toBeCloseTo(gradient, 4);
  });

  it('says what is wrong with a spec or a model', () => {
    const compile = (...wrong: TrainingSpec['losses']): TrainingStep => compileTraining(model, specOf(wrong));
    expect(() => compile(loss('none', 'cross-entropy'))).toThrow(/none: "net" has no such tensor/);
    expect(() => compile(loss('conv', 'cross-entropy'))).toThrow(/conv: must be \[N, classes\]/);
    expect(() => compile(loss('conv', 'mean-squared-error'))).toThrow(/norm.scale: no loss depends on it/);
    expect(() => compile(losses[0], losses[0])).toThrow(/target\/live: is the name of two/);
    expect(() => compileTraining({ ...model, opset: 13 }, specOf(losses))).toThrow(/opset 13/);
  });
});

describe('names', () => {
  it('leaves the model its own, where batch statistics come before what has them', () => {
    const b = new GraphBuilder();
    b.input('pixels', 'float32', ['N', 2, SIZE, SIZE]);
    const moments = ['scale', 'bias', 'mean', 'variance'].map((name) =>
      b.initializer(name, tensorF32([2], Float32Array.of(1, 1))),
    );
    const normed = b.node('BatchNormalization', ['pixels', ...moments]);
    // The names that a builder gives, as in every network of ours: `mul`, `sub`, ...
    const squared = b.node('Mul', [normed, normed]);
    const shifted = b.node('Sub', [squared, b.f32(1)]);
    const pooled = b.node('GlobalAveragePool', [shifted]);
    b.output(b.node('Flatten', [pooled], { axis: 1 }, 'live'), 'float32', ['N', 2]);
    const spec = specOf([loss('live', 'cross-entropy')]);
    const { nodes } = compileTraining(modelOf(b.build('named')), spec).model.graph;
    const names = nodes.flatMap(({ outputs }) => outputs);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });
});
