import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { percentileInterval, wilsonInterval } from './intervals.js';

describe('percentileInterval', () => {
  it('interpolates between order statistics', () => {
    const [low, high] = percentileInterval(Float64Array.of(3, 0, 4, 1, 2))!;
    expect(low).toBeCloseTo(0.1, 12);
    expect(high).toBeCloseTo(3.9, 12);
  });

  it('leaves out the odd draw in which the statistic is undefined, and gives up on many', () => {
    const values = Float64Array.from({ length: 100 }, (_, i) => (i < 5 ? NaN : 7));
    expect(percentileInterval(values)).toEqual([7, 7]);
    values[5] = NaN;
    expect(percentileInterval(values)).toBeNull();
    expect(percentileInterval(new Float64Array(0))).toBeNull();
  });
});

describe('wilsonInterval', () => {
  it('agrees with published values', () => {
    // Newcombe (1998), table I, method 3: 81/263, 15/148, 0/20, 1/29.
    for (const [successes, trials, low, high] of [
      [81, 263, 0.2553, 0.3662],
      [15, 148, 0.0624, 0.1605],
      [0, 20, 0, 0.1611],
      [1, 29, 0.0061, 0.1718],
    ]) {
      const interval = wilsonInterval(successes, trials)!;
      expect(interval[0]).toBeCloseTo(low, 4);
      expect(interval[1]).toBeCloseTo(high, 4);
    }
  });

  it('holds the rate, stays in [0,1] and mirrors', () => {
    const counts = fc.integer({ min: 1, max: 1e6 }).chain((n) => fc.tuple(fc.nat(n), fc.constant(n)));
    fc.assert(
      fc.property(counts, ([k, n]) => {
        const [low, high] = wilsonInterval(k, n)!;
        expect(low).toBeGreaterThanOrEqual(0);
        expect(low).toBeLessThanOrEqual(k / n);
        expect(high).toBeGreaterThanOrEqual(k / n);
        expect(high).toBeLessThanOrEqual(1);
        expect(wilsonInterval(n - k, n)![1]).toBeCloseTo(1 - low, 9);
      }),
    );
  });

  it('is null without trials and refuses what is no count', () => {
    expect(wilsonInterval(0, 0)).toBeNull();
    for (const [k, n] of [
      [2, 1],
      [-1, 1],
      [0.5, 1],
      [0, -1],
      [NaN, 1],
      [0, NaN],
    ])
      expect(() => wilsonInterval(k, n)).toThrow(RangeError);
  });
});
