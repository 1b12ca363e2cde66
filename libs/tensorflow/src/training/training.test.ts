import { AUXILIARY_FACETS, SMALL_BACKBONES } from '@facet/contracts';
import { buildMultitask, Layers, type MultitaskNetwork } from '@facet/networks';
import {
  compileTraining,
  GraphBuilder,
  initialState,
  gradientOf,
  lossOf,
  ModelError,
  modelOf,
  nextOf,
  tensorF32,
  type TrainingSpec,
} from '@facet/onnx';
import {
  layoutOf,
  nextState,
  optimiserOf,
  splitBatch,
  type StepResult,
  type TrainerState,
  type TrainingBatch,
  type Updating,
  withInitialMemory,
} from '@facet/learning';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  distinct,
  largestDifference,
  runSession,
  sessionOf,
  toTf,
  type Fed,
} from '../onnxruntime.fixture.js';
import { TrainingGraph } from './training-graph.js';
import { TensorFlowTrainer } from './trainer.js';

const N = 3;
/** The smallest that has every part of a network in it: below 32 no window of the transformer is shifted. */
const SIZES: Readonly<Record<(typeof SMALL_BACKBONES)[number], number>> = {
  'vgg-small': 16,
  'resnet-small': 16,
  'densenet-small': 16,
  'swin-micro': 32,
};
const STEPS = 5;
const RATE = 0.05;
/** The pure JavaScript backend is slow; other work may share the machine. */
const TIMEOUT_MS = 180_000;

const SGD: Updating = { optimiser: { kind: 'sgd', momentum: 0.9, nesterov: false, weightDecay: 0.01 } };

const KINDS = {
  classes: 'cross-entropy',
  'multi-label': 'binary-cross-entropy',
  map: 'binary-cross-entropy',
} as const;
const specOf = ({ input, facets, logits }: MultitaskNetwork): TrainingSpec => ({
  input: input.name,
  channels: 3,
  height: input.height,
  width: input.width,
  losses: Object.entries(facets).map(([name, { head }], i) => ({
    name,
    kind: KINDS[head!.kind],
    output: logits[name],
    target: `target.${name}`,
    mask: `mask.${name}`,
    weight: 1 / (i + 1),
  })),
});

/** Targets of every loss; some samples take no part in some of them, and none in the last one. */
function batch(spec: TrainingSpec, mapSize: number, step: number): Record<string, Fed> {
  const { channels, height, width } = spec;
  const pixels = N * channels * height * width;
  const feeds: Record<string, Fed> = {
    pixels: {
      dims: [N, channels, height, width],
      data: distinct(pixels, step, 1 / pixels).map((value) => value + 0.5),
    },
  };
  spec.losses.forEach(({ kind, name, target, mask }, i) => {
    const none = i === spec.losses.length - 1 && step === 2;
    feeds[mask] = {
      dims: [N],
      data: Float32Array.from({ length: N }, (_, n) => (none || (n + i) % 4 === 0 ? 0 : 1)),
    };
    const classes = { live: 2, 'spoof-type': 11, illumination: 5 }[name] ?? 0;
    if (kind === 'cross-entropy')
      feeds[target] = {
        dims: [N],
        data: BigInt64Array.from({ length: N }, (_, n) => BigInt((n * 3 + step) % classes)),
      };
    else if (name === 'attributes')
      feeds[target] = {
        dims: [N, 40],
        data: Float32Array.from({ length: N * 40 }, (_, n) => (n * 7 + step) % 2),
      };
    else
      feeds[target] = {
        dims: [N, 1, mapSize, mapSize],
        data: distinct(N * mapSize ** 2, step + i, 0.04).map(Math.abs),
      };
  });
  return feeds;
}

const onDevice = (feeds: Readonly<Record<string, Fed>>): Record<string, tf.Tensor> =>
  Object.fromEntries(Object.entries(feeds).map(([name, fed]) => [name, toTf(tf, fed)]));

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const upload = (state: TrainerState): Record<string, tf.Tensor> =>
  Object.fromEntries(
    [...state].map(([name, { dims, data }]) => [name, tf.tensor(data as Float32Array, [...dims])]),
  );

it.each(SMALL_BACKBONES)(
  'a step of %s equals the graph that @facet/onnx compiles: losses, gradients and running moments, step by step',
  async (backbone) => {
    const size = SIZES[backbone];
    const network = buildMultitask({ backbone, size, channels: 3, facets: AUXILIARY_FACETS, seed: 5 });
    const spec = specOf(network);
    const depth = network.model.graph.outputs.find(({ name }) => name === 'depth')!;
    const compiled = compileTraining(network.model, spec);
    const session = await sessionOf(compiled.model.graph);
    const training = new TrainingGraph(tf, network.model.graph, spec);
    const layout = layoutOf(compiled);
    expect(training.initial).toEqual(initialState(network.model, compiled));
    let state = withInitialMemory(layout, optimiserOf(SGD), training.initial);

    for (let step = 0; step < STEPS; step++) {
      const feeds = batch(spec, Number(depth.dims[2]), step);
      const fed = [...state].map(([name, { dims, data }]) => [name, { dims, data: data as Float32Array }]);
      const expected = await runSession(session, { ...feeds, ...Object.fromEntries(fed) });
      const outcome = training.step(upload(state), onDevice(feeds));
      for (const { name } of spec.losses) {
        const [loss] = expected[lossOf(name)].data as Float32Array;
        expect(outcome.losses[name].dataSync()[0]).toBeCloseTo(loss, 4);
      }
      const given = new Float32Array(layout.partSize);
      for (const { name, offset } of layout.weights) {
        const gradient = expected[gradientOf(name)].data as Float32Array;
        given.set(gradient, offset);
        const difference = largestDifference(outcome.gradients[name].dataSync(), gradient);
        const scale = Math.max(1, ...gradient.map(Math.abs));
        expect(difference / scale, `${name} in step ${step + 1}`).toBeLessThan(1e-4);
      }
      for (const { name, offset } of layout.moments) {
        const moment = expected[nextOf(name)].data as Float32Array;
        given.set(moment, offset);
        expect(largestDifference(outcome.moments[name].dataSync(), moment), name).toBeLessThan(1e-4);
      }
      state = nextState(layout, SGD, state, [given], { learningRate: RATE, step });
    }
  },
  TIMEOUT_MS,
);

it('names a weight that no loss reaches', () => {
  const b = new GraphBuilder();
  b.input('x', 'float32', ['N', 1, 1, 1]);
  b.node('Flatten', ['x'], {}, 'flat');
  for (const name of ['used', 'idle'])
    b.node('MatMul', ['flat', b.initializer(`${name}.weight`, tensorF32([1, 1], [1]))], {}, name);
  const losses = [
    { name: 'l', kind: 'mean-squared-error', output: 'used', target: 't', mask: 'm', weight: 1 },
  ] as const;
  const small: TrainingSpec = { input: 'x', channels: 1, height: 1, width: 1, losses };
  expect(() => new TrainingGraph(tf, b.build('g'), small)).toThrow(ModelError);
  expect(() => new TrainingGraph(tf, b.build('g'), small)).toThrow(/idle.weight: no loss/);
});

describe('the trainer', () => {
  // A network of two layers: the pure JavaScript backend takes seconds for a step of the whole one.
  const builder = new GraphBuilder();
  const layers = new Layers(builder, 7);
  const image = {
    tensor: builder.input('pixels', 'float32', ['N', 3, 8, 8]),
    channels: 3,
    height: 8,
    width: 8,
  };
  const maps = layers.convNormRelu('maps', image, { channels: 4, stride: 2 });
  layers.linear('live', layers.globalAveragePool('pooled', maps), 2, 'linear');
  const graph = builder.build('small');
  const kind = 'cross-entropy';
  const small: TrainingSpec = {
    input: 'pixels',
    channels: 3,
    height: 8,
    width: 8,
    losses: [{ name: 'live', kind, output: 'live', target: 'target', mask: 'mask', weight: 1 }],
  };
  const labelled = (seed: number, parts: number): TrainingBatch => ({
    size: 4,
    parts,
    pixels: distinct(4 * 3 * 64, seed, 1 / (4 * 3 * 64)),
    targets: { live: BigInt64Array.of(0n, 1n, 1n, 0n) },
    masks: { live: Float32Array.of(1, 1, 0, 1) },
  });
  const total = ({ losses }: StepResult): number => losses['live'];
  const open = (updating = SGD): TensorFlowTrainer => new TensorFlowTrainer(tf, graph, small, updating);
  const OPTIONS = { learningRate: RATE, step: 0 };

  it('makes the losses smaller, and goes on from a state that was read', async () => {
    const trainer = open();
    const first = total(await trainer.step(labelled(0, 1), OPTIONS));
    const state = await trainer.state();
    const second = total(await trainer.step(labelled(0, 1), OPTIONS));
    expect(second).toBeLessThan(first);
    const again = open();
    await again.load(state);
    expect(total(await again.step(labelled(0, 1), OPTIONS))).toBe(second);
    await Promise.all([trainer.close(), again.close()]);
  });

  it('moves the weights by the mean gradient of the parts, clipped', async () => {
    const whole = labelled(1, 2);
    const updating: Updating = { ...SGD, clipNorm: 0.05 };
    const trainer = open(updating);
    const before = await trainer.state();
    const result = await trainer.step(whole, OPTIONS);
    const training = new TrainingGraph(tf, graph, small);
    const layout = layoutOf(compileTraining(modelOf(graph), small));
    const outcomes = splitBatch(whole).map(({ pixels, targets, masks }) =>
      training.step(upload(before), {
        pixels: tf.tensor(pixels, [2, 3, 8, 8]),
        target: tf.tensor1d(Int32Array.from(targets['live'], Number), 'int32'),
        mask: tf.tensor1d(masks['live']),
      }),
    );
    const parts = outcomes.map(({ gradients, moments }) => {
      const given = new Float32Array(layout.partSize);
      for (const { name, offset } of layout.weights) given.set(gradients[name].dataSync(), offset);
      for (const { name, offset } of layout.moments) given.set(moments[name].dataSync(), offset);
      return given;
    });
    const losses = outcomes.map(({ losses: { live } }) => live.dataSync()[0]);
    expect(total(result)).toBeCloseTo((losses[0] + losses[1]) / 2, 5);
    const expected = nextState(layout, updating, before, parts, OPTIONS);
    for (const [name, { data }] of await trainer.state())
      expect(
        largestDifference(data as Float32Array, expected.get(name)!.data as Float32Array),
        name,
      ).toBeLessThan(1e-6);
    await trainer.close();
  });

  it('leaves nothing on the device once it is closed, not even after a step that failed', async () => {
    const before = tf.memory().numTensors;
    const trainer = open();
    const held = tf.memory().numTensors;
    await expect(trainer.step({ ...labelled(1, 1), masks: {} }, OPTIONS)).rejects.toThrow();
    await expect(
      trainer.step(labelled(1, 1), { ...OPTIONS, signal: AbortSignal.abort(new Error('enough')) }),
    ).rejects.toThrow('enough');
    await trainer.step(labelled(1, 1), OPTIONS);
    expect(tf.memory().numTensors).toBe(held);
    await trainer.close();
    await trainer.close();
    expect(tf.memory().numTensors).toBe(before);
    await expect(trainer.step(labelled(1, 1), OPTIONS)).rejects.toThrow('closed');
  });

  it('refuses a state of another training by the name that is wrong', async () => {
    const trainer = open();
    const state = new Map(await trainer.state());
    state.set('live.bias', tensorF32([3], [1, 2, 3]));
    await expect(trainer.load(state)).rejects.toThrow(/live.bias: is \[3\], not \[2\]/);
    state.delete('live.bias');
    await expect(trainer.load(state)).rejects.toThrow(/live.bias: is missing/);
    await trainer.close();
  });
});
