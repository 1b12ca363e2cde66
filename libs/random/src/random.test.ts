import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from './random.js';

const seeds = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const draw = (random: Random, n = 8): number[] => Array.from({ length: n }, () => random.bits());

describe('Random', () => {
  it('repeats itself for the same seed and path, and for no other', () => {
    expect(draw(new Random(7, 'weights', 3))).toEqual(draw(new Random(7, 'weights', 3)));
    const streams = [
      new Random(7),
      new Random(8),
      new Random(7 + 2 ** 32),
      new Random(7, 'a'),
      new Random(7, 'a', 'b'),
      new Random(7, 'ab'),
      new Random(7, 'b', 'a'),
      new Random(7, ''),
    ].map((random) => draw(random).join());
    expect(new Set(streams).size).toBe(streams.length);
  });

  it('gives the numbers that it always gave: stored recipes depend on them', () => {
    expect(draw(new Random(0), 4)).toMatchInlineSnapshot(`
      [
        407845930,
        939797500,
        1322609786,
        1321709822,
      ]
    `);
    expect(draw(new Random(2026, 'shuffle', 1), 4)).toMatchInlineSnapshot(`
      [
        2765774074,
        763794097,
        1507133572,
        1555345851,
      ]
    `);
  });

  it('draws uniform numbers: mean, variance and bits are those of [0,1)', () => {
    const random = new Random(1);
    const n = 100_000;
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < n; i++) {
      const u = random.uniform();
      expect(u >= 0 && u < 1).toBe(true);
      sum += u;
      squares += u * u;
    }
    expect(sum / n).toBeCloseTo(0.5, 2);
    expect(squares / n).toBeCloseTo(1 / 3, 2);
  });

  it('draws standard normal numbers', () => {
    const random = new Random(2);
    const moments = [0, 0, 0, 0];
    const n = 100_000;
    for (let i = 0; i < n; i++) {
      const z = random.normal();
      for (let k = 0; k < 4; k++) moments[k] += z ** (k + 1) / n;
    }
    expect(Math.abs(moments[0])).toBeLessThan(0.02);
    expect(Math.abs(moments[1] - 1)).toBeLessThan(0.02);
    expect(Math.abs(moments[2])).toBeLessThan(0.06);
    expect(Math.abs(moments[3] - 3)).toBeLessThan(0.15);
  });

  it('draws whole numbers evenly', () => {
    const random = new Random(3);
    const counts = new Array<number>(7).fill(0);
    for (let i = 0; i < 70_000; i++) counts[random.integer(7)]++;
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(400);
  });

  it('permutes: every index once', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 0, max: 50 }), (seed, n) => {
        const order = [...new Random(seed).permutation(n)].sort((a, b) => a - b);
        expect(order).toEqual(Array.from({ length: n }, (_, i) => i));
      }),
    );
  });

  it('refuses what is no seed', () => {
    for (const seed of [-1, 0.5, Number.NaN, 2 ** 53]) expect(() => new Random(seed)).toThrow(RangeError);
  });
});
