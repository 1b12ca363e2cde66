import { AUXILIARY_FACETS } from '@facet/contracts';
import { buildMultitask } from '@facet/networks';
import {
  compileTraining,
  GraphBuilder,
  initialState,
  LEARNING_RATE,
  lossOf,
  ModelError,
  nextOf,
  tensorF32,
  type TrainingSpec,
} from '@facet/onnx';
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
import { TrainingStep } from './step.js';

const N = 6;
const SIZE = 16;
const STEPS = 6;
const RATE = 0.05;

const network = buildMultitask({
  backbone: 'resnet-small',
  size: SIZE,
  channels: 3,
  facets: AUXILIARY_FACETS,
  seed: 5,
});

const KINDS = {
  classes: 'cross-entropy',
  'multi-label': 'binary-cross-entropy',
  map: 'mean-squared-error',
} as const;
const spec: TrainingSpec = {
  input: 'pixels',
  channels: 3,
  height: SIZE,
  width: SIZE,
  losses: Object.entries(network.facets).map(([name, { head }], i) => ({
    name,
    kind: KINDS[head!.kind],
    output: head!.output,
    target: `target.${name}`,
    mask: `mask.${name}`,
    weight: 1 / (i + 1),
  })),
  optimiser: { kind: 'sgd', momentum: 0.9, weightDecay: 0.01 },
};

/** Targets of every loss; some samples take no part in some of them, and none in the last one. */
function batch(step: number): Record<string, Fed> {
  const feeds: Record<string, Fed> = {
    pixels: {
      dims: [N, 3, SIZE, SIZE],
      data: distinct(N * 3 * SIZE * SIZE, step, 1 / (N * 3 * SIZE * SIZE)).map((value) => value + 0.5),
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
    else if (kind === 'binary-cross-entropy')
      feeds[target] = {
        dims: [N, 40],
        data: Float32Array.from({ length: N * 40 }, (_, n) => (n * 7 + step) % 2),
      };
    else feeds[target] = { dims: [N, 1, 2, 2], data: distinct(N * 4, step + i, 0.04).map(Math.abs) };
  });
  return feeds;
}

const onDevice = (feeds: Readonly<Record<string, Fed>>): Record<string, tf.Tensor> =>
  Object.fromEntries(Object.entries(feeds).map(([name, fed]) => [name, toTf(tf, fed)]));

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('a training step', () => {
  it('equals the graph that @facet/onnx compiles, step by step, in losses, weights, momenta and moments', async () => {
    const compiled = compileTraining(network.model, spec);
    const session = await sessionOf(compiled.graph);
    let state: Record<string, Fed> = Object.fromEntries(
      [...initialState(network.model, compiled)].map(([name, { dims, data }]) => [
        name,
        { dims, data: data as Float32Array },
      ]),
    );
    const step = new TrainingStep(tf, network.model.graph, spec);
    expect([...step.state.keys()].sort()).toEqual(Object.keys(state).sort());

    for (let i = 0; i < STEPS; i++) {
      const feeds = batch(i);
      const expected = await runSession(session, {
        ...feeds,
        ...state,
        [LEARNING_RATE]: { dims: [], data: Float32Array.of(RATE) },
      });
      const losses = step.run(onDevice(feeds), RATE);
      for (const { name } of spec.losses)
        expect(losses[lossOf(name)]).toBeCloseTo((expected[lossOf(name)].data as Float32Array)[0], 4);
      state = Object.fromEntries(Object.keys(state).map((name) => [name, expected[nextOf(name)]]));
      for (const [name, tensor] of step.state) {
        const difference = largestDifference(tensor.dataSync(), state[name].data as Float32Array);
        expect(difference, `${name} after step ${i + 1}`).toBeLessThan(1e-4);
      }
    }
    step.close();
  });

  it('makes the losses smaller', () => {
    const step = new TrainingStep(tf, network.model.graph, spec);
    const feeds = onDevice(batch(0));
    const total = (losses: Record<string, number>): number =>
      spec.losses.reduce((sum, { name, weight }) => sum + weight * losses[lossOf(name)], 0);
    const first = total(step.run(feeds, RATE));
    for (let i = 0; i < 4; i++) step.run(feeds, RATE);
    expect(total(step.run(feeds, RATE))).toBeLessThan(0.8 * first);
    step.close();
  });

  it('leaves nothing on the device but its state', () => {
    const feeds = onDevice(batch(1));
    const before = tf.memory().numTensors;
    const step = new TrainingStep(tf, network.model.graph, spec);
    step.run(feeds, RATE);
    step.run(feeds, RATE);
    expect(tf.memory().numTensors).toBe(before + step.state.size);
    step.close();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('names a weight that no loss reaches', () => {
    const b = new GraphBuilder();
    b.input('x', 'float32', ['N', 1, 1, 1]);
    b.node('Flatten', ['x'], {}, 'flat');
    for (const name of ['used', 'idle'])
      b.node('MatMul', ['flat', b.initializer(`${name}.weight`, tensorF32([1, 1], [1]))], {}, name);
    const losses = [
      { name: 'l', kind: 'mean-squared-error', output: 'used', target: 't', mask: 'm', weight: 1 },
    ] as const;
    const small: TrainingSpec = { ...spec, input: 'x', channels: 1, height: 1, width: 1, losses };
    expect(() => new TrainingStep(tf, b.build('g'), small)).toThrow(ModelError);
    expect(() => new TrainingStep(tf, b.build('g'), small)).toThrow(/idle.weight: no loss/);
  });
});
