import { Random } from '@facet/random';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { pairedRatio } from './pairs.js';

const times = fc.array(fc.double({ min: 0.1, max: 1e4, noNaN: true }), { minLength: 1, maxLength: 20 });

it('is exact where every round agrees, whatever the machine does meanwhile', () => {
  fc.assert(
    fc.property(times, fc.double({ min: 0.1, max: 10, noNaN: true }), (theirs, factor) => {
      const { ratio, interval = [ratio, ratio] } = pairedRatio(
        theirs.map((time) => time * factor),
        theirs,
      );
      for (const value of [ratio, ...interval]) expect(value / factor).toBeCloseTo(1, 9);
    }),
  );
});

it('turns round with the pair, and lies within its interval', () => {
  fc.assert(
    fc.property(times, times, (a, b) => {
      const n = Math.min(a.length, b.length);
      const [ours, theirs] = [a.slice(0, n), b.slice(0, n)];
      const { ratio, interval } = pairedRatio(ours, theirs);
      expect(ratio * pairedRatio(theirs, ours).ratio).toBeCloseTo(1, 9);
      expect(interval === undefined).toBe(n < 6);
      if (interval) expect(interval[0] <= ratio && ratio <= interval[1]).toBe(true);
    }),
  );
});

it('is not moved by a round that was disturbed', () => {
  const theirs = [100, 101, 99, 100, 102, 98, 100];
  const ours = theirs.map((time) => time * 1.02);
  expect(pairedRatio([...ours.slice(0, 6), 500], theirs).ratio).toBeCloseTo(1.02, 9);
});

it('has the truth in its interval as often as it says', () => {
  const random = new Random(0, 'pairs');
  const noise = () => 1 + 0.06 * (random.uniform() - 0.5);
  let inside = 0;
  const TRIES = 2_000;
  for (let i = 0; i < TRIES; i++) {
    const ours = Array.from({ length: 12 }, () => 1.02 * noise());
    const [low, high] = pairedRatio(
      ours,
      ours.map(() => noise()),
    ).interval!;
    if (low <= 1.02 && 1.02 <= high) inside++;
  }
  expect(inside / TRIES).toBeGreaterThan(0.93);
  expect(inside / TRIES).toBeLessThan(0.97);
});

it('refuses what was not timed in turns', () => {
  expect(() => pairedRatio([1], [1, 2])).toThrow('not timed in turns');
  expect(() => pairedRatio([], [])).toThrow(RangeError);
});
