import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bootstrapInterval, wilsonInterval } from './intervals.js';
import { auc } from './ranking.js';
import { arbitraryTwoClasses, attack, live } from './samples.fixture.js';

/** A linear congruential generator (Knuth's MMIX constants), high bits only. */
function generator(seed: number): () => number {
  let state = BigInt(seed);
  return () => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn;
    return Number(state >> 32n) / 2 ** 32;
  };
}

const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;

describe('bootstrapInterval', () => {
  it('comes near the normal interval of a mean', () => {
    const values = Array.from({ length: 400 }, (_, i) => i % 2);
    const [low, high] = bootstrapInterval(values, mean, generator(1), 2000)!;
    // Standard error 0.5 / sqrt(400) = 0.025.
    expect(low).toBeCloseTo(0.5 - 1.96 * 0.025, 2);
    expect(high).toBeCloseTo(0.5 + 1.96 * 0.025, 2);
  });

  it('interpolates between order statistics', () => {
    // The statistic is 0, 1, ..., 4 in turn: the 2.5 % and 97.5 % points of those five values.
    let calls = 0;
    const [low, high] = bootstrapInterval(['only'], () => calls++, generator(1), 5)!;
    expect(low).toBeCloseTo(0.1, 12);
    expect(high).toBeCloseTo(3.9, 12);
  });

  it('is reproduced by its seed', () => {
    fc.assert(
      fc.property(arbitraryTwoClasses, fc.nat(), (samples, seed) => {
        const once = () => bootstrapInterval(samples, auc, generator(seed), 20);
        expect(once()).toEqual(once());
      }),
      { numRuns: 20 },
    );
  });

  it('leaves out the odd resample in which the statistic is undefined, and gives up on many', () => {
    // A resample of n misses k samples with probability (1 - k/n)^n: 0.4 % here, 30 % there.
    const five = [1, 2, 3, 4, 5];
    const enough = [...five.map(live), ...five.map((score) => attack(-score))];
    expect(bootstrapInterval(enough, auc, generator(3), 2000)).toEqual([1, 1]);
    expect(bootstrapInterval([live(1), attack(0), attack(0.1)], auc, generator(3))).toBeNull();
  });

  it('is null without items or where the statistic is never defined', () => {
    expect(bootstrapInterval([], mean, generator(1))).toBeNull();
    expect(bootstrapInterval([live(1)], auc, generator(1))).toBeNull();
  });

  it('refuses a statistic that is not finite and a count that is none', () => {
    expect(() => bootstrapInterval([1], () => NaN, generator(1))).toThrow('resample 0: the statistic is NaN');
    expect(() => bootstrapInterval([1], mean, generator(1), 0)).toThrow(RangeError);
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
