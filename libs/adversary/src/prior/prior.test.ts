import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '@facet/random';
import { BalancedAccuracy } from './accuracy.js';
import { Moments } from './moments.js';
import { fitPrior, type LinearPrior, priorValue } from './prior.js';
import { fitMultiLabelProbe, fitProbe } from './probe.js';
import { solveSpd } from './solve.js';

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
  const argmax = (probe: ReturnType<typeof fitProbe>, z: readonly number[]): number => {
    const logits = Array.from(probe.bias, (bias, k) =>
      z.reduce((sum, value, i) => sum + value * probe.weights[k * z.length + i], bias),
    );
    return logits.indexOf(Math.max(...logits));
  };

  it('tell classes apart and never predict an absent one', () => {
    const centres = [
      [0, 0],
      [6, 0],
      [0, 6],
    ];
    const classes = centres.map((c, k) => momentsOf(cloud(100, c, `class ${k}`), 2));
    const probe = fitProbe([classes[0], new Moments(2), classes[1], classes[2]]);
    expect(argmax(probe, [0, 0])).toBe(0);
    expect(argmax(probe, [6, 0])).toBe(2);
    expect(argmax(probe, [0, 6])).toBe(3);
  });

  it('give one logit per attribute', () => {
    const off = momentsOf(cloud(100, [0, 0], 'off'), 2);
    const on = momentsOf(cloud(100, [4, 0], 'on'), 2);
    const probe = fitMultiLabelProbe([
      { off, on },
      { off, on: new Moments(2) },
    ]);
    const logit = (z: readonly number[], k: number): number =>
      probe.bias[k] + z[0] * probe.weights[2 * k] + z[1] * probe.weights[2 * k + 1];
    expect(logit([4, 0], 0)).toBeGreaterThan(0);
    expect(logit([0, 0], 0)).toBeLessThan(0);
    expect(logit([4, 0], 1)).toBeLessThan(-100);
  });
});
