import { GraphBuilder, type Model, modelOf, tensorF32, writeModel } from '@facet/onnx';
import { afterAll, describe, expect, it } from 'vitest';
import { Engine } from './engine.js';
import type { GradientTask } from './inspection.js';
import { share } from './model-source.js';

const engine = new Engine({ threads: 1 });
afterAll(() => engine.close());

const WEIGHTS = Array.from({ length: 3 * 4 * 2 }, (_, i) => Math.sin(i + 1));

/** logits = flat(image) W, of an image of 2 x 2 pixels; `last` makes the output of them. */
function linear(classes: 1 | 2, last?: string): Model {
  const b = new GraphBuilder();
  b.input('image', 'float32', [1, 3, 2, 2]);
  const weights = b.initializer('w', tensorF32([12, classes], WEIGHTS.slice(0, 12 * classes)));
  b.node('MatMul', [b.node('Flatten', ['image']), weights], {}, 'logits');
  const output = last === undefined ? 'logits' : b.node(last, ['logits'], {}, 'y');
  b.output(output, 'float32', [1, classes]);
  return modelOf(b.build('linear'));
}

const input = Float32Array.from({ length: 24 }, (_, i) => Math.cos(i));
const logit = (sample: number, k: number, classes: number): number =>
  Array.from({ length: 12 }, (_, i) => input[12 * sample + i] * WEIGHTS[classes * i + k]).reduce(
    (a, b) => a + b,
  );
const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));

const taskOf = (model: Model, changes: Partial<GradientTask> = {}): GradientTask => ({
  bytes: share(writeModel(model)),
  shape: [2, 3, 2, 2],
  input,
  labels: [0, 1],
  objective: 'cross-entropy',
  live: [0],
  ...changes,
});

function expectClose(actual: Float32Array, expected: (index: number) => number): void {
  actual.forEach((value, i) => expect(value).toBeCloseTo(expected(i), 5));
}

/** d(logit 1 - logit 0)/d pixel i */
const difference = (i: number): number => WEIGHTS[2 * (i % 12) + 1] - WEIGHTS[2 * (i % 12)];

describe('the gradient of two classes', () => {
  const odds = [0, 1].map((sample) => logit(sample, 1, 2) - logit(sample, 0, 2));

  it.each([undefined, 'Softmax', 'LogSoftmax'])('by cross-entropy, behind %s', async (last) => {
    const result = await engine.gradient(taskOf(linear(2, last), { labels: [0, 1] }));
    expect(result).toMatchObject({ tensor: last === undefined ? 'logits' : 'y', logitsShape: [2, 2] });
    expect(result.gradient).toHaveLength(24);
    expectClose(result.values, (i) => Math.log1p(Math.exp(i === 0 ? odds[0] : -odds[1])));
    expectClose(result.gradient, (i) =>
      i < 12 ? sigmoid(odds[0]) * difference(i) : -sigmoid(-odds[1]) * difference(i),
    );
    if (last === undefined) expectClose(result.logits, (i) => logit(Math.floor(i / 2), i % 2, 2));
  });

  it('by the margin, with either class live', async () => {
    for (const live of [0, 1]) {
      const side = live === 0 ? 1 : -1;
      const result = await engine.gradient(taskOf(linear(2), { objective: 'margin', live: [live] }));
      expectClose(result.values, (i) => side * (i === 0 ? odds[0] : -odds[1]));
      expectClose(result.gradient, (i) => side * (i < 12 ? difference(i) : -difference(i)));
    }
  });

  it('of a tensor that is named', async () => {
    const result = await engine.gradient(taskOf(linear(2, 'Softmax'), { tensor: 'logits' }));
    expect(result.tensor).toBe('logits');
    expectClose(result.logits, (i) => logit(Math.floor(i / 2), i % 2, 2));
  });
});

describe('the gradient of one number', () => {
  it.each([undefined, 'Sigmoid'])('by cross-entropy, behind %s', async (last) => {
    const result = await engine.gradient(taskOf(linear(1, last)));
    expect(result.logitsShape).toEqual([2, 1]);
    const slope = [sigmoid(logit(0, 0, 1)), sigmoid(logit(1, 0, 1)) - 1];
    expectClose(result.gradient, (i) => slope[i < 12 ? 0 : 1] * WEIGHTS[i % 12]);
  });

  it('by the margin, high for live on demand', async () => {
    const result = await engine.gradient(taskOf(linear(1), { objective: 'margin', live: [1] }));
    expectClose(result.gradient, (i) => (i < 12 ? -1 : 1) * WEIGHTS[i % 12]);
  });
});

it.each<[string, Partial<GradientTask>, string]>([
  ['another size', { shape: [1, 3, 4, 2] }, 'task shape: axis 2 is 4, but 2 in the model\'s input "image"'],
  ['too few numbers', { input: new Float32Array(23) }, 'task input: has 23 numbers, but 2x3x2x2 are 24'],
  ['too few labels', { labels: [0] }, 'task labels: are 1 labels for 2 samples'],
  ['a class that is not there', { labels: [0, 2] }, 'task labels: 2 is not below 2, the classes of "logits"'],
  ['only live classes', { objective: 'margin', live: [0, 1] }, 'task live: 0,1 of 2 classes leaves no'],
  ['no such tensor', { tensor: 'none' }, 'task tensor: the model has no tensor "none"'],
  ['weights for a decision', { tensor: 'w' }, 'w: must be [N, classes]'],
  ['the input for a decision', { tensor: 'image' }, 'image: is a map, which has no cross-entropy'],
])('%s is refused with the place', async (_, changes, message) => {
  await expect(engine.gradient(taskOf(linear(2), changes))).rejects.toThrow(message);
});
