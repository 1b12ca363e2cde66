import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bootstrap, weightedAuc, weightedMedian, weightedRate } from './bootstrap.js';
import { medianMinimalEpsilon } from './epsilon.js';
import { percentileInterval } from './intervals.js';
import { auc } from './ranking.js';
import { arbitraryTwoClasses } from './samples.fixture.js';

/** A linear congruential generator (Knuth's MMIX constants), high bits only. */
function generator(seed: number): () => number {
  let state = BigInt(seed);
  return () => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn;
    return Number(state >> 32n) / 2 ** 32;
  };
}
const names = (n: number): string[] => Array.from({ length: n }, (_, i) => `s${i}`);
const once = (n: number): Float64Array => new Float64Array(n).fill(1);

describe('bootstrap', () => {
  it('comes near the normal interval of a rate', () => {
    const bits = {
      attempted: new Uint8Array(400).fill(1),
      fooled: Uint8Array.from({ length: 400 }, (_, i) => i % 2),
    };
    const { rate } = bootstrap(names(400), generator(1), { rate: (w) => weightedRate(bits, w) }, 2000);
    const [low, high] = percentileInterval(rate)!;
    // Standard error 0.5 / sqrt(400) = 0.025.
    expect(low).toBeCloseTo(0.5 - 1.96 * 0.025, 2);
    expect(high).toBeCloseTo(0.5 + 1.96 * 0.025, 2);
  });

  it('is wider where samples come in groups, which are drawn as a whole', () => {
    const bits = {
      attempted: new Uint8Array(400).fill(1),
      fooled: Uint8Array.from({ length: 400 }, (_, i) => (i >> 2) % 2),
    };
    const groups = names(400).map((_, i) => `group ${i >> 2}`);
    const width = (units: readonly string[]): number => {
      const { rate } = bootstrap(units, generator(2), { rate: (w) => weightedRate(bits, w) });
      const [low, high] = percentileInterval(rate)!;
      return high - low;
    };
    expect(width(groups) / width(names(400))).toBeGreaterThan(1.6);
  });

  it('gives every statistic the same draws, and the same ones again by its seed', () => {
    const sum = (w: Float64Array): number => w.reduce((total, value, i) => total + value * i, 0);
    const draw = () => bootstrap(names(9), generator(4), { a: sum, b: (w) => 2 * sum(w) }, 50);
    const { a, b } = draw();
    expect(b).toEqual(a.map((value) => 2 * value));
    expect(draw().a).toEqual(a);
    expect(new Set(a).size).toBeGreaterThan(10);
  });

  it('refuses a number of draws that is none', () => {
    expect(() => bootstrap(['a'], generator(1), {}, 0)).toThrow(RangeError);
  });
});

describe('weighted statistics', () => {
  it('are the plain ones where every sample counts once, and those of the repeated samples otherwise', () => {
    fc.assert(
      fc.property(
        arbitraryTwoClasses,
        fc.infiniteStream(fc.integer({ min: 0, max: 3 })),
        (samples, stream) => {
          const scores = Float64Array.from(samples, ({ score }) => score);
          const live = Uint8Array.from(samples, (sample) => Number(sample.live));
          const weighted = weightedAuc(scores, live);
          expect(weighted(once(samples.length))).toBeCloseTo(auc(samples)!, 12);
          const weights = Float64Array.from(samples, () => stream.next().value as number);
          const repeated = samples.flatMap((sample, i) => Array.from({ length: weights[i] }, () => sample));
          const expected = auc(repeated);
          if (expected === null) expect(weighted(weights)).toBeNaN();
          else expect(weighted(weights)).toBeCloseTo(expected, 12);
        },
      ),
    );
  });

  it('of a median agree with the median of the repeated samples', () => {
    const value = fc.option(fc.integer({ min: 0, max: 5 }), { freq: 3 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(value, fc.integer({ min: 0, max: 3 })), { minLength: 1, maxLength: 12 }),
        (rows) => {
          const values = rows.map(([one]) => one);
          const order = Uint32Array.from(values.keys()).sort((a, b) => (values[a] ?? 9) - (values[b] ?? 9));
          const repeated = rows.flatMap(([one, times]) => Array.from({ length: times }, () => one));
          const expected = medianMinimalEpsilon(repeated) ?? NaN;
          expect(
            weightedMedian(
              values,
              order,
              Float64Array.from(rows, ([, times]) => times),
            ),
          ).toBe(expected);
        },
      ),
    );
  });
});
