import { SMALL_BACKBONES } from '@facet/contracts';
import { Layers } from '@facet/networks';
import {
  compileTraining,
  GraphBuilder,
  ModelError,
  modelOf,
  tensorF32,
  type TrainingSpec,
} from '@facet/onnx';
import {
  layoutOf,
  nextState,
  splitBatch,
  type StepResult,
  type TrainingBatch,
  type Updating,
} from '@facet/learning';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { distinct, largestDifference } from '../onnxruntime.fixture.js';
import { expectEqualSteps, RATE, SGD, uploadTo } from './equal-steps.fixture.js';
import { TrainingGraph } from './training-graph.js';
import { TensorFlowTrainer } from './trainer.js';

/** The pure JavaScript backend is slow; other work may share the machine. */
const TIMEOUT_MS = 180_000;

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const upload = uploadTo(tf);

// A rectifier that rounding tips over moves the gradients before it: in swin-micro by 2e-4, where all others are within 2e-5.
it.each(SMALL_BACKBONES)(
  'a step of %s equals the graph that @facet/onnx compiles: losses, gradients and running moments, step by step',
  (backbone) => expectEqualSteps(tf, backbone, { tolerance: 5e-4 }),
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
