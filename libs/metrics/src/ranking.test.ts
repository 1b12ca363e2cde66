import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apcer, bpcer } from './rates.js';
import { auc, bpcerAt, eer, eerThreshold, tprAtFpr } from './ranking.js';
import type { Sample } from './sample.js';
import { arbitraryTwoClasses, attack, live } from './samples.fixture.js';

/** AUC by its definition: every pair of a live sample and an attack. */
function aucByPairs(samples: readonly Sample[]): number {
  let [won, pairs] = [0, 0];
  for (const l of samples.filter((s) => s.live))
    for (const a of samples.filter((s) => !s.live)) {
      pairs++;
      won += l.score > a.score ? 1 : l.score === a.score ? 0.5 : 0;
    }
  return won / pairs;
}

/** Every threshold that decides differently from the others, by brute force. */
const thresholds = (samples: readonly Sample[]) => [...new Set(samples.map((s) => s.score))].concat(Infinity);

const far = (samples: readonly Sample[], t: number) => {
  const attacks = samples.filter((s) => !s.live);
  return attacks.filter((s) => s.score >= t).length / attacks.length;
};

describe('auc', () => {
  it('counts pairs, ties half', () => {
    expect(auc([live(3), live(2), attack(1), attack(2)])).toBe(3.5 / 4);
    expect(auc([live(1), attack(0)])).toBe(1);
    expect(auc([live(0), attack(1)])).toBe(0);
    expect(auc([live(5), live(5), attack(5)])).toBe(0.5);
  });

  it('equals its definition over pairs', () => {
    fc.assert(
      fc.property(arbitraryTwoClasses, (samples) => {
        expect(auc(samples)).toBeCloseTo(aucByPairs(samples), 12);
      }),
    );
  });
});

describe('eerThreshold and eer', () => {
  it('stand half way in the gap of separable scores', () => {
    const separable = [live(0.9), live(0.75), attack(0.25), attack(0.1)];
    expect([eerThreshold(separable), eer(separable)]).toEqual([0.5, 0]);
  });

  it('agree with a count by hand', () => {
    // Between 0.3 and 0.4 one of three attacks is in and one of three live samples is out.
    const samples = [live(0.9), live(0.8), live(0.3), attack(0.4), attack(0.2), attack(0.1)];
    expect(eerThreshold(samples)).toBeCloseTo(0.35, 15);
    expect(eer(samples)).toBe(1 / 3);
  });

  it('take the higher of two equally good thresholds', () => {
    // At (1,2]: FAR 1/2, FRR 0. At (2,3]: FAR 0, FRR 1/2.
    const tied = [live(2), live(4), attack(0), attack(2)];
    expect(eerThreshold(tied)).toBe(3);
    expect(eer(tied)).toBe(0.25);
  });

  it('give the constant for constant scores', () => {
    const constant = [live(0.5), live(0.5), attack(0.5)];
    expect([eerThreshold(constant), eer(constant), auc(constant)]).toEqual([0.5, 0.5, 0.5]);
  });

  it('are 1 for scores that are upside down', () => {
    expect(eer([live(0), live(1), attack(2), attack(3)])).toBe(1);
  });

  it('separate neighbouring floats and the largest ones', () => {
    const next = 1 + Number.EPSILON;
    expect(eerThreshold([live(next), attack(1)])).toBe(next);
    expect(eerThreshold([live(Number.MAX_VALUE), attack(-Number.MAX_VALUE)])).toBe(0);
    expect(eerThreshold([live(Infinity), attack(-Infinity)])).toBe(0);
    expect(eerThreshold([live(Number.MIN_VALUE), attack(0)])).toBe(Number.MIN_VALUE);
  });

  it('minimise |FAR - FRR| over all thresholds; eer is their mean there', () => {
    fc.assert(
      fc.property(arbitraryTwoClasses, (samples) => {
        const gap = (t: number) => Math.abs(far(samples, t) - bpcer(samples, t)!);
        const t = eerThreshold(samples)!;
        expect(gap(t)).toBeLessThanOrEqual(Math.min(...thresholds(samples).map(gap)) + 1e-12);
        expect(eer(samples)).toBeCloseTo((far(samples, t) + bpcer(samples, t)!) / 2, 12);
        expect(eer(samples)).toBeGreaterThanOrEqual(0);
        expect(eer(samples)).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('bpcerAt', () => {
  const ten = Array.from({ length: 10 }, (_, i) => attack(i / 10));
  const lives = [live(0.95), live(0.85), live(0.75), live(0.65)];

  it('allows exactly the given share of errors', () => {
    // One error in ten: 0.9 may pass, 0.8 may not, so the live samples at 0.75 and 0.65 go.
    expect(bpcerAt([...lives, ...ten], 0.1)).toBe(0.5);
    // None: 0.9 may not pass either.
    expect(bpcerAt([...lives, ...ten], 0.05)).toBe(0.75);
    expect(bpcerAt([...lives, ...ten], 1)).toBe(0);
  });

  it('rejects live samples that tie with an attack that must be rejected', () => {
    expect(bpcerAt([live(0.5), live(0.6), attack(0.5)], 0)).toBe(0.5);
  });

  it('holds the limit for the worst species, not for the pool', () => {
    const withMask = [...lives, ...ten.slice(0, 5), ...ten.slice(0, 4), attack(0.8, 'mask')];
    expect(bpcerAt(withMask, 0.1)).toBe(0.5);
  });

  it('is the least BPCER among the thresholds that keep APCER', () => {
    fc.assert(
      fc.property(arbitraryTwoClasses, fc.constantFrom(0, 0.01, 0.05, 0.1, 0.5, 1), (samples, limit) => {
        // Above an infinite score there is no threshold; the formula rejects it all the same.
        fc.pre(samples.every((s) => s.score !== Infinity));
        const fitting = thresholds(samples).filter((t) => apcer(samples, t)! <= limit);
        expect(bpcerAt(samples, limit)).toBe(Math.min(...fitting.map((t) => bpcer(samples, t)!)));
      }),
    );
  });
});

describe('tprAtFpr', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => live(i + 0.5));

  it('counts found attacks while the share of rejected live samples holds', () => {
    const samples = [...hundred, attack(0), attack(1), attack(1.5), attack(50)];
    // One live sample may go: the threshold rises to 1.5, and what ties with it is not found.
    expect(tprAtFpr(samples, 0.01)).toBe(0.5);
    expect(tprAtFpr(samples, 0.005)).toBe(0.25);
    expect(tprAtFpr(samples, 1)).toBe(1);
  });

  it('allows exactly k of n errors at a limit of k/n, and not at the number before it', () => {
    // 0.29 * 100 is 28.999999999999996, and other products round up.
    const attacks = hundred.map((s) => attack(s.score - 0.25));
    for (let k = 1; k < 100; k++) {
      const limit = k / 100;
      expect(tprAtFpr([...hundred, ...attacks], limit)).toBe((k + 1) / 100);
      expect(tprAtFpr([...hundred, ...attacks], limit * (1 - Number.EPSILON))).toBe(k / 100);
    }
  });

  it('is the highest TPR among the thresholds that keep the FPR', () => {
    fc.assert(
      fc.property(
        arbitraryTwoClasses,
        fc.constantFrom(0, 1e-3, 5e-3, 1e-2, 0.1, 0.5, 1),
        (samples, limit) => {
          fc.pre(samples.every((s) => s.score !== Infinity));
          const fitting = thresholds(samples).filter((t) => bpcer(samples, t)! <= limit);
          const best = Math.max(...fitting.map((t) => 1 - far(samples, t)));
          expect(tprAtFpr(samples, limit)).toBeCloseTo(best, 12);
        },
      ),
    );
  });
});

const MEASURES: [string, (samples: readonly Sample[]) => number | null][] = [
  ['auc', auc],
  ['eer', eer],
  ['bpcer10', (s) => bpcerAt(s, 0.1)],
  ['tprAtFpr', (s) => tprAtFpr(s, 0.2)],
];

describe.each([...MEASURES, ['eerThreshold', eerThreshold] as const])('%s', (_, measure) => {
  it('is null where a class is empty, and refuses NaN by index', () => {
    expect(measure([])).toBeNull();
    expect(measure([live(1)])).toBeNull();
    expect(measure([attack(1)])).toBeNull();
    expect(() => measure([live(1), attack(0), live(NaN)])).toThrow(new RangeError('sample 2: score is NaN'));
  });

  it('does not depend on the order of samples', () => {
    const shuffled = arbitraryTwoClasses.chain((samples) =>
      fc.tuple(fc.constant(samples), fc.shuffledSubarray(samples, { minLength: samples.length })),
    );
    fc.assert(
      fc.property(shuffled, ([a, b]) => {
        expect(measure(b)).toBe(measure(a));
      }),
    );
  });
});

describe.each(MEASURES)('%s', (_, measure) => {
  it('does not change under an increasing map of the scores', () => {
    fc.assert(
      fc.property(arbitraryTwoClasses, (samples) => {
        // Ranks: the strongest increasing map there is, and exact.
        const ranks = [...new Set(samples.map((s) => s.score + 0))].sort((a, b) => (a < b ? -1 : 1));
        const mapped = samples.map((s) => ({ ...s, score: 7 * ranks.indexOf(s.score + 0) ** 3 - 5 }));
        expect(measure(mapped)).toBe(measure(samples));
      }),
    );
  });
});

it('a limit outside [0,1] is refused', () => {
  const samples = [live(1), attack(0)];
  expect(() => bpcerAt(samples, 5)).toThrow(new RangeError('maxApcer is 5, not a fraction in [0,1]'));
  expect(() => tprAtFpr(samples, NaN)).toThrow(new RangeError('maxFpr is NaN, not a fraction in [0,1]'));
});
