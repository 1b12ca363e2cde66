import { Random } from '@facet/random';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blur, gaussian } from './diversity.js';
import { drawPlacement, place, placed } from './placement.js';

const sizes = fc.record({ height: fc.integer({ min: 1, max: 17 }), width: fc.integer({ min: 1, max: 17 }) });
const noise = (length: number, random: Random): Float32Array =>
  Float32Array.from({ length }, () => random.normal());
const inner = (a: Float32Array, b: Float32Array): number =>
  a.reduce((sum, value, i) => sum + value * b[i], 0);

describe('a placement', () => {
  it('is brought back by its adjoint: <place x, g> = <x, placed g>', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), (size, seed) => {
        const random = new Random(seed);
        const length = 3 * size.height * size.width;
        const [x, g] = [noise(length, random), noise(length, random)];
        const placement = drawPlacement(size, random);
        const scale = 1e-5 * Math.sqrt(inner(x, x) * inner(g, g));
        expect(
          Math.abs(inner(place(x, size, placement), g) - inner(x, placed(g, size, placement))),
        ).toBeLessThan(scale + 1e-6);
      }),
    );
  });

  it('keeps a level where it puts the image, and is black around it, at least nine tenths of each side', () => {
    const size = { height: 40, width: 60 };
    for (let seed = 0; seed < 20; seed++) {
      const grey = place(new Float32Array(3 * 2400).fill(0.5), size, drawPlacement(size, new Random(seed)));
      const inside = grey.filter((value) => value !== 0);
      inside.forEach((value) => expect(value).toBeCloseTo(0.5, 6));
      expect(inside.length / 3).toBeGreaterThanOrEqual(36 * 54);
    }
  });
});

describe('the blur', () => {
  it('is symmetric, keeps the sum away from the border, and is its own adjoint', () => {
    const kernel = gaussian(7);
    expect([...kernel]).toEqual([...kernel].reverse());
    const size = { height: 15, width: 15 };
    const point = new Float32Array(3 * 225);
    point[225 + 7 * 15 + 7] = 1;
    const spread = blur(point, size, kernel);
    expect(spread.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
    expect(spread.slice(0, 225).every((value) => value === 0)).toBe(true);
    const random = new Random(3);
    const [x, g] = [noise(675, random), noise(675, random)];
    expect(inner(blur(x, size, kernel), g)).toBeCloseTo(inner(x, blur(g, size, kernel)), 3);
  });
});
