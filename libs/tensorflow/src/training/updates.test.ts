import {
  layoutOf,
  memoryOf,
  nextState,
  optimiserOf,
  type Updating,
  withInitialMemory,
} from '@facet/learning';
import { tensorF32 } from '@facet/onnx';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, it } from 'vitest';
import { distinct, largestDifference } from '../onnxruntime.fixture.js';
import { clipFactor, updated } from './updates.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

it.each<Updating & { name: string }>([
  { name: 'SGD', optimiser: { kind: 'sgd', momentum: 0.9, nesterov: false, weightDecay: 0.1 } },
  { name: "Nesterov's", optimiser: { kind: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 0.1 } },
  {
    name: 'Adam, averaged',
    optimiser: { kind: 'adam', beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1 },
    averageDecay: 0.5,
  },
  {
    name: 'AdamW, clipped',
    optimiser: { kind: 'adamw', beta1: 0.8, beta2: 0.9, epsilon: 1e-8, weightDecay: 0.1 },
    clipNorm: 0.5,
  },
])('moves weights as `learning` does: $name', (updating) => {
  const weights = [
    { name: 'w', dims: [2, 3], decays: true },
    { name: 'b', dims: [3], decays: false },
  ];
  const layout = layoutOf({ weights, moments: [] });
  const { memory } = optimiserOf(updating);
  let expected = withInitialMemory(
    layout,
    optimiserOf(updating),
    new Map(weights.map(({ name, dims }, i) => [name, tensorF32(dims, distinct(i === 0 ? 6 : 3, i, 0.3))])),
  );
  let state: Record<string, tf.Tensor> = Object.fromEntries(
    [...expected].map(([name, { dims, data }]) => [name, tf.tensor(data as Float32Array, [...dims])]),
  );
  for (let step = 0; step < 6; step++) {
    const options = { learningRate: 0.05, step };
    const given = distinct(layout.partSize, step + 7, 0.2);
    expected = nextState(layout, updating, expected, [given], options);
    const gradients = Object.fromEntries(
      layout.weights.map(({ name, dims, offset, size }) => [
        name,
        tf.tensor(given.slice(offset, offset + size), [...dims]),
      ]),
    );
    const factor = updating.clipNorm === undefined ? 1 : clipFactor(tf, gradients, updating.clipNorm);
    const next = weights.map((weight) =>
      updated(tf, updating, memory, weight, state, tf.mul(gradients[weight.name], factor), options),
    );
    state = Object.assign({}, ...next) as Record<string, tf.Tensor>;
  }
  expect(Object.keys(state).sort()).toEqual(
    weights.flatMap(({ name }) => [name, ...memory.map((one) => memoryOf(one, name))]).sort(),
  );
  for (const [name, tensor] of Object.entries(state))
    expect(largestDifference(tensor.dataSync(), expected.get(name)!.data as Float32Array), name).toBeLessThan(
      1e-5,
    );
});
