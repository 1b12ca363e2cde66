import type { OptimiserConfig } from '@facet/contracts';
import { tensorF32 } from '@facet/onnx';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memoryOf, optimiserOf, publishedState, type Updating } from './optimiser/index.js';
import type { TrainerState } from './trainer.js';
import {
  layoutOf,
  nextState,
  packState,
  stateSize,
  unpackState,
  updateMoment,
  updateWeight,
  withInitialMemory,
} from './update.js';

const layout = layoutOf({
  weights: [
    { name: 'w', dims: [1, 1], decays: true },
    { name: 'b', dims: [1], decays: false },
  ],
  moments: [{ name: 'mean', dims: [1] }],
});
const given = (w: number, b = 0, mean = 0): Float32Array => Float32Array.of(w, b, mean);

const start = (updating: Updating, w = 1, b = 2): TrainerState =>
  withInitialMemory(
    layout,
    optimiserOf(updating),
    new Map([
      ['w', tensorF32([1, 1], [w])],
      ['b', tensorF32([1], [b])],
      ['mean', tensorF32([1], [0])],
    ]),
  );
const value = (state: TrainerState, name: string): number => Number(state.get(name)!.data[0]);

describe('one update, against figures by hand', () => {
  /** Learning rate 0.1; gradients 0.5 and then -0.25 of a weight that begins at 1. */
  const after = (optimiser: OptimiserConfig): number => {
    const first = nextState(layout, { optimiser }, start({ optimiser }), [given(0.5)], {
      learningRate: 0.1,
      step: 0,
    });
    return value(
      nextState(layout, { optimiser }, first, [given(-0.25)], { learningRate: 0.1, step: 1 }),
      'w',
    );
  };

  it('SGD', () => {
    // m: 0.5, then 0.9 x 0.5 - 0.25 = 0.2
    expect(after({ kind: 'sgd', momentum: 0.9, nesterov: false, weightDecay: 0 })).toBeCloseTo(
      1 - 0.05 - 0.02,
      6,
    );
    // 0.5 + 0.1 x 1 = 0.6 -> 0.94; 0.9 x 0.6 - 0.25 + 0.094 = 0.384
    expect(after({ kind: 'sgd', momentum: 0.9, nesterov: false, weightDecay: 0.1 })).toBeCloseTo(
      0.94 - 0.0384,
      6,
    );
    // 0.5 + 0.9 x 0.5 = 0.95 -> 0.905; m = 0.2; -0.25 + 0.9 x 0.2 = -0.07
    expect(after({ kind: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 0 })).toBeCloseTo(
      0.905 + 0.007,
      6,
    );
  });

  it('Adam and AdamW', () => {
    const adam = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 };
    // The first step has the length of the rate; then m = 0.02, v = 3.12250e-4: corrected 0.105263 / 0.395210.
    const expected = 1 - 0.1 - 0.1 * (0.02 / 0.19 / Math.sqrt(3.1225e-4 / 0.001999));
    expect(after({ kind: 'adam', ...adam })).toBeCloseTo(expected, 5);
    expect(after({ kind: 'adamw', ...adam })).toBeCloseTo(expected, 5);
    const first = nextState(
      layout,
      { optimiser: { kind: 'adamw', ...adam, weightDecay: 0.5 } },
      start({ optimiser: { kind: 'adamw', ...adam } }),
      [given(0.5)],
      { learningRate: 0.1, step: 0 },
    );
    expect(value(first, 'w')).toBeCloseTo(0.95 - 0.1, 6);
    expect(value(first, 'b')).toBe(2);
  });

  it('clips all gradients together', () => {
    const updating: Updating = {
      optimiser: { kind: 'sgd', momentum: 0, nesterov: false, weightDecay: 0 },
      clipNorm: 1,
    };
    const next = nextState(layout, updating, start(updating), [given(3, 4)], { learningRate: 1, step: 0 });
    expect(value(next, 'w')).toBeCloseTo(1 - 0.6, 5);
    expect(value(next, 'b')).toBeCloseTo(2 - 0.8, 5);
  });

  it('averages weights beside the weights', () => {
    const updating: Updating = {
      optimiser: { kind: 'sgd', momentum: 0, nesterov: false, weightDecay: 0 },
      averageDecay: 0.99,
    };
    const next = nextState(layout, updating, start(updating), [given(1, 0, 7)], { learningRate: 1, step: 0 });
    expect(value(next, 'w')).toBe(0);
    const published = publishedState(next, updating);
    expect(value(published, 'w')).toBeCloseTo(0.1, 6);
    expect(value(published, 'mean')).toBe(7);
    expect([...published.keys()].sort()).toEqual(['b', 'mean', 'w']);
  });
});

const number = fc.double({ min: -3, max: 3, noNaN: true });

it('takes the mean of the parts, gradients and moments', () => {
  const updating: Updating = {
    optimiser: { kind: 'adamw', beta1: 0.9, beta2: 0.99, epsilon: 1e-3, weightDecay: 0.1 },
  };
  fc.assert(
    fc.property(fc.array(fc.tuple(number, number, number), { minLength: 1, maxLength: 5 }), (parts) => {
      const mean = [0, 1, 2].map((i) => parts.reduce((sum, part) => sum + part[i], 0) / parts.length);
      const options = { learningRate: 0.1, step: 3 };
      const many = nextState(
        layout,
        updating,
        start(updating),
        parts.map((part) => given(...part)),
        options,
      );
      const one = nextState(layout, updating, start(updating), [given(mean[0], mean[1], mean[2])], options);
      for (const name of ['w', 'b', 'mean']) expect(value(many, name)).toBeCloseTo(value(one, name), 4);
    }),
  );
});

it('gives the same bits in pieces, and reads back what it packed', () => {
  const updating: Updating = {
    optimiser: { kind: 'adam', beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1 },
    averageDecay: 0.9,
  };
  const optimiser = optimiserOf(updating);
  const state = new Float32Array(stateSize(layout, optimiser));
  packState(layout, optimiser, start(updating), state);
  expect(unpackState(layout, optimiser, state)).toEqual(start(updating));
  const next = new Float32Array(state.length);
  const update = { state, next, parts: [given(0.3, -0.2, 0.1)], scale: 1 };
  const options = { learningRate: 0.1, step: 0 };
  for (const slot of [...layout.weights].reverse()) updateWeight(layout, optimiser, slot, update, options);
  for (const slot of layout.moments) updateMoment(slot, update);
  expect(unpackState(layout, optimiser, next)).toEqual(
    nextState(layout, updating, start(updating), update.parts, options),
  );
  expect([...start(updating).keys()]).toContain(memoryOf('second-moment', 'w'));
});
