import fc from 'fast-check';
import { expect, it } from 'vitest';
import { l2, linf, psnr } from './distances.js';

const bytes = (...values: number[]) => Uint8Array.from(values);

it('agree with hand-computed cases, below and above', () => {
  const [a, b] = [bytes(10, 10, 10, 10), bytes(13, 6, 10, 10)];
  expect(linf(a, b)).toBe(4 / 255);
  expect(linf(b, a)).toBe(4 / 255);
  expect(l2(a, b)).toBe(2.5 / 255);
  expect(psnr(a, b)).toBeCloseTo(20 * Math.log10(255 / 2.5), 12);
});

it('black against white is 1, 1 and 0 dB', () => {
  const [black, white] = [bytes(0, 0), bytes(255, 255)];
  expect([linf(black, white), l2(black, white), psnr(black, white)]).toEqual([1, 1, 0]);
});

it('equal images have no finite PSNR', () => {
  expect([linf(bytes(7), bytes(7)), l2(bytes(7), bytes(7)), psnr(bytes(7), bytes(7))]).toEqual([0, 0, null]);
});

it('l2 <= linf <= l2 sqrt(n), both symmetric', () => {
  const pair = fc
    .integer({ min: 1, max: 50 })
    .chain((n) =>
      fc.tuple(fc.uint8Array({ minLength: n, maxLength: n }), fc.uint8Array({ minLength: n, maxLength: n })),
    );
  fc.assert(
    fc.property(pair, ([a, b]) => {
      expect(l2(a, b)).toBeLessThanOrEqual(linf(a, b) + 1e-12);
      expect(linf(a, b)).toBeLessThanOrEqual(l2(a, b) * Math.sqrt(a.length) + 1e-12);
      expect([linf(b, a), l2(b, a)]).toEqual([linf(a, b), l2(a, b)]);
    }),
  );
});

it.each([linf, l2, psnr])('%o refuses images that do not match', (distance) => {
  expect(() => distance(bytes(1), bytes(1, 2))).toThrow(new RangeError('images have 1 and 2 values'));
  expect(() => distance(bytes(), bytes())).toThrow(new RangeError('images are empty'));
});
