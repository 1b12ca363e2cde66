import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { areaUnderSuccess, medianMinimalEpsilon } from './epsilon.js';

describe('areaUnderSuccess', () => {
  it('is the trapezoid from the origin over the largest epsilon', () => {
    expect(areaUnderSuccess([{ epsilon: 0.1, rate: 1 }])).toBe(0.5);
    // 0.5 * 1 * 0.4 + 0.5 * 1 * (0.4 + 0.8) + 2 * 0.9, over 4.
    const points = [
      { epsilon: 4, rate: 1 },
      { epsilon: 1, rate: 0.4 },
      { epsilon: 2, rate: 0.8 },
    ];
    expect(areaUnderSuccess(points)).toBeCloseTo((0.2 + 0.6 + 1.8) / 4, 15);
    expect(points[0].epsilon).toBe(4);
  });

  it('is null without points and refuses points out of range', () => {
    expect(areaUnderSuccess([])).toBeNull();
    for (const epsilon of [0, -1, NaN, Infinity])
      expect(() => areaUnderSuccess([{ epsilon, rate: 0 }])).toThrow(/^point 0: epsilon/);
    expect(() => areaUnderSuccess([{ epsilon: 1, rate: 100 }])).toThrow(/^point 0: rate is 100/);
    const twice = { epsilon: 1, rate: 0.5 };
    expect(() => areaUnderSuccess([twice, twice])).toThrow(new RangeError('epsilon 1 comes twice'));
  });

  it('stays in [0,1], is indifferent to the unit of epsilon, and grows with success', () => {
    const rate = fc.double({ min: 0, max: 1, noNaN: true });
    const sweep = fc.uniqueArray(fc.record({ epsilon: fc.integer({ min: 1, max: 64 }), rate }), {
      minLength: 1,
      selector: (p) => p.epsilon,
    });
    fc.assert(
      fc.property(sweep, (points) => {
        const area = areaUnderSuccess(points)!;
        expect(area).toBeGreaterThanOrEqual(0);
        expect(area).toBeLessThanOrEqual(1);
        expect(areaUnderSuccess(points.map((p) => ({ ...p, epsilon: p.epsilon / 255 })))).toBeCloseTo(
          area,
          9,
        );
        const stronger = points.map((p) => ({ ...p, rate: Math.sqrt(p.rate) }));
        expect(areaUnderSuccess(stronger)!).toBeGreaterThanOrEqual(area - 1e-12);
      }),
    );
  });
});

describe('medianMinimalEpsilon', () => {
  it('ranks samples that never broke above all others', () => {
    expect(medianMinimalEpsilon([3, 1, 2])).toBe(2);
    expect(medianMinimalEpsilon([4, 1, 2, 3])).toBe(2.5);
    expect(medianMinimalEpsilon([null, 1, 2])).toBe(2);
    expect(medianMinimalEpsilon([1, null, 10, 2, null])).toBe(10);
  });

  it('is null where the median sample never broke, or there is none', () => {
    expect(medianMinimalEpsilon([1, null])).toBeNull();
    expect(medianMinimalEpsilon([null, null, null])).toBeNull();
    expect(medianMinimalEpsilon([])).toBeNull();
  });

  it.each([NaN, -1, Infinity])('refuses an epsilon of %s', (epsilon) => {
    expect(() => medianMinimalEpsilon([1, epsilon])).toThrow(/^sample 1: epsilon is/);
  });
});
