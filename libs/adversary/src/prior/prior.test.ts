import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '@facet/random';
import { BalancedAccuracy } from './accuracy.js';
import { Moments } from './moments.js';
import { fitPrior, type LinearPrior, priorValue } from './prior.js';
import { fitMultiLabelProbe, fitProbe, type LinearProbe } from './probe.js';
import { solveSpd } from './solve.js';
import { scaleOf, shrink, SHRINKAGE } from './standardise.js';

const momentsOf = (rows: readonly (readonly number[])[], d: number): Moments => {
  const moments = new Moments(d);
  for (const row of rows) moments.add(row);
  return moments;
};

const cloud = (n: number, centre: readonly number[], seed: string, spread = 1): number[][] => {
  const random = new Random(7, seed);
  return Array.from({ length: n }, () => centre.map((c) => c + spread * random.normal()));
};

function accuracyOf(
  prior: LinearPrior,
  rows: readonly (readonly number[])[],
  labels: Uint8Array,
): number | null {
  const accuracy = new BalancedAccuracy();
  rows.forEach((row, i) => {
    accuracy.add(labels[i], priorValue(prior, row) > 0 ? 1 : 0);
  });
  return accuracy.value;
}

describe('BalancedAccuracy', () => {
  it('weighs classes alike, however many samples each has, and leaves unknown ones out', () => {
    const accuracy = new BalancedAccuracy();
    for (const [truth, predicted] of [
      [0, 0],
      [0, 0],
      [0, 0],
      [0, 1],
      [2, 2],
      [2, 0],
      [-1, 0],
    ])
      accuracy.add(truth, predicted);
    expect(accuracy.value).toBe((3 / 4 + 1 / 2) / 2);
  });
});

describe('Moments', () => {
  it('gives mean and population covariance', () => {
    const moments = momentsOf(
      [
        [1, 2],
        [3, 6],
        [5, 4],
      ],
      2,
    );
    expect([...moments.mean]).toEqual([3, 4]);
    const expected = [8 / 3, 4 / 3, 4 / 3, 8 / 3];
    moments.covariance().forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i], 12);
    });
  });

  it('merges parts to the moments of the whole, wherever it was cut', () => {
    const row = fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 20 }), fc.nat(20), (rows, cut) => {
        const whole = momentsOf(rows, 3);
        const merged = Moments.merged(
          [rows.slice(0, cut), rows.slice(cut)].map((part) => momentsOf(part, 3).data),
        );
        expect(merged.count).toBe(whole.count);
        const close = (a: Float64Array, b: Float64Array): void => {
          a.forEach((value, i) => {
            expect(Math.abs(value - b[i])).toBeLessThanOrEqual(1e-7 * (1 + Math.abs(b[i])));
          });
        };
        close(merged.mean, whole.mean);
        close(merged.covariance(), whole.covariance());
      }),
    );
  });
});

describe('solveSpd', () => {
  it('solves what it is given', () => {
    const [x] = solveSpd(Float64Array.of(4, 2, 2, 3), 2, [Float64Array.of(2, 5)]);
    expect(4 * x[0] + 2 * x[1]).toBeCloseTo(2, 12);
    expect(2 * x[0] + 3 * x[1]).toBeCloseTo(5, 12);
  });

  it('refuses a matrix that is not positive definite', () => {
    expect(() => solveSpd(Float64Array.of(1, 2, 2, 1), 2, [])).toThrow(/row 1/);
  });
});

describe('fitPrior', () => {
  const live = cloud(400, [0, 0, 5], 'live');
  const spoof = cloud(400, [2, 0, 5], 'spoof');

  it('points from live to spoof, half-way between them', () => {
    const prior = fitPrior(momentsOf(live, 3), momentsOf(spoof, 3));
    expect(prior.weights[0]).toBeGreaterThan(5 * Math.abs(prior.weights[1]));
    expect(priorValue(prior, [0, 0, 5])).toBeLessThan(0);
    expect(priorValue(prior, [2, 0, 5])).toBeGreaterThan(0);
    expect(Math.abs(priorValue(prior, [1, 0, 5]))).toBeLessThan(0.3);
  });

  it('separates as well as the overlap of the classes allows, and not at all after a shuffle', () => {
    const rows = [...live, ...spoof];
    const labels = Uint8Array.from(rows, (_, i) => (i < live.length ? 0 : 1));
    const prior = fitPrior(momentsOf(live, 3), momentsOf(spoof, 3));
    // Two unit normals two deviations apart: Phi(1) = 0.841.
    expect(accuracyOf(prior, rows, labels)).toBeCloseTo(0.841, 1);
    const even = rows.filter((_, i) => i % 2 === 0);
    const odd = rows.filter((_, i) => i % 2 === 1);
    const shuffled = fitPrior(momentsOf(even, 3), momentsOf(odd, 3));
    expect(accuracyOf(shuffled, rows, labels)).toBeLessThan(0.75);
  });

  it('survives constant and linearly dependent features', () => {
    const dependent = (rows: number[][]): number[][] => rows.map(([a]) => [a, 2 * a, 7]);
    const prior = fitPrior(momentsOf(dependent(live), 3), momentsOf(dependent(spoof), 3));
    expect([...prior.weights, prior.bias].every(Number.isFinite)).toBe(true);
    expect(priorValue(prior, [2, 4, 7])).toBeGreaterThan(0);
  });

  it('refuses a handful of samples', () => {
    expect(() => fitPrior(momentsOf(live.slice(0, 3), 3), momentsOf(spoof, 3))).toThrow(/20 samples/);
  });

  it('has no balanced accuracy without both classes', () => {
    const prior = fitPrior(momentsOf(live, 3), momentsOf(spoof, 3));
    expect(accuracyOf(prior, [live[0]], Uint8Array.of(0))).toBeNull();
  });
});

describe('probes', () => {
  /** Rows of a class or with bits, with their indicators behind them. */
  const joinedOf = (
    given: readonly { readonly rows: readonly number[][]; readonly of: readonly number[] }[],
  ) =>
    momentsOf(
      given.flatMap(({ rows, of }) => rows.map((row) => [...row, ...of])),
      2 + given[0].of.length,
    );
  const logitsOf = ({ bias, weights }: LinearProbe, z: readonly number[]): number[] =>
    Array.from(bias, (one, k) => z.reduce((sum, value, i) => sum + value * weights[k * z.length + i], one));
  const argmax = (values: readonly number[]): number => values.indexOf(Math.max(...values));

  it('tell classes apart and never predict an absent one', () => {
    const probe = fitProbe(
      joinedOf([
        { rows: cloud(100, [0, 0], 'class 0'), of: [1, 0, 0, 0] },
        { rows: cloud(100, [6, 0], 'class 1'), of: [0, 0, 1, 0] },
        { rows: cloud(100, [0, 6], 'class 2'), of: [0, 0, 0, 1] },
      ]),
      4,
    );
    expect(argmax(logitsOf(probe, [0, 0]))).toBe(0);
    expect(argmax(logitsOf(probe, [6, 0]))).toBe(2);
    expect(argmax(logitsOf(probe, [0, 6]))).toBe(3);
    expect(logitsOf(probe, [3, 3])[1]).toBeLessThan(-100);
  });

  it('give one logit per attribute, and never one that nobody has', () => {
    const probe = fitMultiLabelProbe(
      joinedOf([
        { rows: cloud(100, [0, 0], 'off'), of: [0, 0, 1] },
        { rows: cloud(100, [4, 0], 'on'), of: [1, 0, 1] },
      ]),
      3,
    );
    expect(logitsOf(probe, [4, 0])[0]).toBeGreaterThan(0);
    expect(logitsOf(probe, [0, 0])[0]).toBeLessThan(0);
    expect(logitsOf(probe, [4, 0])[1]).toBeLessThan(-100);
    expect(logitsOf(probe, [4, 0])[2]).toBeGreaterThan(100);
  });

  const side = fc.record({ n: fc.integer({ min: 3, max: 60 }), x: fc.integer({ min: -4, max: 4 }) });
  const sidesOf = (...sides: readonly { readonly n: number; readonly x: number }[]) =>
    sides.map(({ n, x }, k) => cloud(n, [x, 1], `side ${k}`));

  /** Two sides, and the covariance within them of features over their deviations, already shrunk. */
  interface Sides {
    readonly off: Moments;
    readonly on: Moments;
    readonly within: Float64Array;
    readonly scale: Float64Array;
  }

  function expectLogOdds(found: (z: readonly number[]) => number, { off, on, within, scale }: Sides): void {
    const apart = off.mean.map((value, i) => (on.mean[i] - value) / scale[i]);
    const [w] = solveSpd(within, 2, [apart]);
    for (const z of [
      [0, 0],
      [3, -2],
      [-1, 5],
    ]) {
      const middle = (i: number): number => (off.mean[i] + on.mean[i]) / 2;
      const expected =
        Math.log(on.count / off.count) +
        w.reduce((sum, value, i) => sum + (value * (z[i] - middle(i))) / scale[i], 0);
      expect(Math.abs(found(z) - expected)).toBeLessThan(1e-4 * (1 + Math.abs(expected)));
    }
  }

  it('of two classes are the discriminants of their own moments, put together by their sizes', () => {
    fc.assert(
      fc.property(side, side, (a, b) => {
        const [first, second] = sidesOf(a, b);
        const probe = fitProbe(
          joinedOf([
            { rows: first, of: [1, 0] },
            { rows: second, of: [0, 1] },
          ]),
          2,
        );
        const [off, on] = [first, second].map((rows) => momentsOf(rows, 2));
        const scale = scaleOf(Moments.merged([off.data, on.data]).covariance(), 2);
        const within = off.covariance().map((value, at) => {
          const pooled = (value * a.n + on.covariance()[at] * b.n) / (a.n + b.n);
          return pooled / (scale[at >> 1] * scale[at & 1]);
        });
        shrink(within, 2);
        expectLogOdds((z) => logitsOf(probe, z)[1] - logitsOf(probe, z)[0], { off, on, within, scale });
      }),
    );
  });

  it('of bits say what a probe of both sides says, but for the ridge, which is that of all samples', () => {
    fc.assert(
      fc.property(side, side, (a, b) => {
        const [without, having] = sidesOf(a, b);
        const bits = fitMultiLabelProbe(
          joinedOf([
            { rows: without, of: [0] },
            { rows: having, of: [1] },
          ]),
          1,
        );
        const [off, on] = [without, having].map((rows) => momentsOf(rows, 2));
        const all = momentsOf([...without, ...having], 2);
        const scale = scaleOf(all.covariance(), 2);
        const apart = off.mean.map((value, i) => (on.mean[i] - value) / scale[i]);
        const share = b.n / (a.n + b.n);
        const within = all.covariance().map((value, at) => value / (scale[at >> 1] * scale[at & 1]));
        shrink(within, 2);
        for (let at = 0; at < 4; at++)
          within[at] -= (1 - SHRINKAGE) * share * (1 - share) * apart[at >> 1] * apart[at & 1];
        expectLogOdds((z) => logitsOf(bits, z)[0], { off, on, within, scale });
      }),
    );
  });
});
