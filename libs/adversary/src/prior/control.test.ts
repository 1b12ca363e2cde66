import { Random } from '@facet/random';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { controlFor, drawControls } from './control.js';
import { Moments } from './moments.js';
import { fitPrior } from './prior.js';

const D = 3;
const momentsOf = (rows: readonly (readonly number[])[], d = D): Moments => {
  const moments = new Moments(d);
  for (const row of rows) moments.add(row);
  return moments;
};

/** Correlated features of unlike spread, whose mean moves with the class. */
function cloud(n: number, shift: number, seed: string): number[][] {
  const random = new Random(11, seed);
  return Array.from({ length: n }, () => {
    const [a, b, c] = [random.normal(), random.normal(), random.normal()];
    return [shift + a, 5 * b + 3 * a, 0.2 * c - 0.1 * b + shift / 4];
  });
}

/** Second moments of directions, [D * D]: what a difference of their distributions would show in. */
function spreadOf(directions: readonly ArrayLike<number>[]): number[] {
  const sums = new Array<number>(D * D).fill(0);
  for (const w of directions)
    for (let i = 0; i < D; i++)
      for (let j = 0; j < D; j++) sums[i * D + j] += (w[i] * w[j]) / directions.length;
  return sums;
}

/** Largest difference of two spreads, each entry over the deviations that belong to it. */
function apart(one: readonly number[], other: readonly number[]): number {
  const deviation = (i: number): number => Math.sqrt(other[i * D + i]);
  return Math.max(
    ...one.map((v, at) => Math.abs(v - other[at]) / (deviation(Math.floor(at / D)) * deviation(at % D))),
  );
}

describe('directions of the control', () => {
  const classes = [cloud(160, 0, 'live'), cloud(80, 3, 'spoof')];
  const [live, spoof] = classes.map((rows) => momentsOf(rows));
  const drawn = drawControls(live, spoof, 4000, new Random(1));

  it('are distributed as priors of labels that were shuffled within each class', () => {
    const random = new Random(2);
    const shuffled = Array.from({ length: 1500 }, () => {
      const halves: number[][][] = [[], []];
      for (const rows of classes)
        [...random.permutation(rows.length)].forEach((at, i) => {
          halves[i % 2].push(rows[at]);
        });
      return fitPrior(momentsOf(halves[0]), momentsOf(halves[1])).weights;
    });
    expect(apart(spreadOf(drawn), spreadOf(shuffled))).toBeLessThan(0.15);
    // Were the classes' difference left in, the directions would lean along it.
    const random2 = new Random(3);
    const everywhere = [...classes[0], ...classes[1]];
    const plain = Array.from({ length: 500 }, () => {
      const order = [...random2.permutation(everywhere.length)];
      const half = order.length / 2;
      const [one, two] = [order.slice(0, half), order.slice(half)].map((part) =>
        momentsOf(part.map((at) => everywhere[at])),
      );
      return fitPrior(one, two).weights;
    });
    expect(apart(spreadOf(plain), spreadOf(shuffled))).toBeGreaterThan(0.15);
  });

  it('say nothing of the class on average, and little by themselves', () => {
    const prior = fitPrior(live, spoof).weights;
    const gap = (w: ArrayLike<number>): number =>
      spoof.mean.reduce((sum, mean, i) => sum + w[i] * (mean - live.mean[i]), 0);
    const gaps = drawn.map(gap);
    const typical = Math.sqrt(gaps.reduce((sum, value) => sum + value * value, 0) / gaps.length);
    expect(Math.abs(gaps.reduce((sum, value) => sum + value, 0) / gaps.length)).toBeLessThan(typical / 15);
    expect(typical).toBeLessThan(gap(prior) / 10);
  });

  it('are there for features that are constant or depend on each other', () => {
    const dependent = (rows: number[][]): number[][] => rows.map(([a]) => [a, 2 * a, 7]);
    const [one, two] = classes.map((rows) => momentsOf(dependent(rows)));
    for (const w of drawControls(one, two, 8, new Random(4)))
      expect([...w].every(Number.isFinite)).toBe(true);
  });

  it('need as many samples as a prior', () => {
    expect(() => drawControls(momentsOf(classes[0].slice(0, 5)), spoof, 1, new Random(1))).toThrow(
      /20 samples/,
    );
  });
});

describe('controlFor', () => {
  it('gives one of the directions or its opposite, each as often, the same for the same seed', () => {
    const directions = [Float32Array.of(1, 2), Float32Array.of(3, 4)];
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 4000; seed++) {
      const name = controlFor(directions, new Random(seed)).join();
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    expect([...counts.keys()].sort()).toEqual(['-1,-2', '-3,-4', '1,2', '3,4']);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(120);
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        expect(controlFor(directions, new Random(seed))).toEqual(controlFor(directions, new Random(seed)));
      }),
    );
  });
});
