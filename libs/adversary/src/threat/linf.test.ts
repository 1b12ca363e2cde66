import fc from 'fast-check';
import { expect, it } from 'vitest';
import { clamp, stepBySigns } from './linf.js';

const SIZE = 24;
const any = (low: number, high: number) =>
  fc.float32Array({
    minLength: SIZE,
    maxLength: SIZE,
    min: Math.fround(low),
    max: Math.fround(high),
    noNaN: true,
  });

it('steps by the sign, in float32', () => {
  fc.assert(
    fc.property(
      any(0, 1),
      any(-1e-3, 1e-3),
      fc.float({ min: 0, max: 1, noNaN: true }),
      (pixels, slopes, size) => {
        slopes[0] = 0;
        slopes[1] = -0;
        const expected = pixels.map((pixel, i) => pixel + size * Math.sign(slopes[i]));
        stepBySigns(pixels, slopes, size);
        expect(pixels).toEqual(expected);
      },
    ),
  );
});

it('clamps to the ball and to the box, as comparisons do', () => {
  fc.assert(
    fc.property(
      any(-1, 2),
      any(0, 1),
      fc.float({ min: 0, max: 1, noNaN: true }),
      (pixels, clean, epsilon) => {
        pixels[0] = -0;
        const expected = pixels.map((pixel, i) => {
          const [low, high] = [Math.fround(clean[i] - epsilon), Math.fround(clean[i] + epsilon)];
          return Math.min(1, high, Math.max(0, low, pixel));
        });
        clamp(pixels, clean, epsilon);
        expect(pixels).toEqual(expected);
      },
    ),
  );
});

it('keeps what is no number inside', () => {
  const pixels = Float32Array.of(NaN, Infinity, -Infinity);
  clamp(pixels, Float32Array.of(0.5, 0.5, 0.5), 0.25);
  expect([...pixels]).toEqual([0.75, 0.75, 0.25]);
});
