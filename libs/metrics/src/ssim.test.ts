import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ssim, type ImageShape } from './ssim.js';

const SHAPE: ImageShape = { height: 17, width: 23, channels: 3 };
const SIZE = 17 * 23 * 3;
const image = (value: (i: number) => number, size = SIZE) =>
  Uint8Array.from({ length: size }, (_, i) => value(i));

/** The definition, window by window, without separable sums and with centred moments. */
function ssimByDefinition(a: Uint8Array, b: Uint8Array, { height, width, channels }: ImageShape): number {
  const weight = (dy: number, dx: number) => Math.exp(-(dy * dy + dx * dx) / (2 * 1.5 ** 2));
  let norm = 0;
  for (let dy = -5; dy <= 5; dy++) for (let dx = -5; dx <= 5; dx++) norm += weight(dy, dx);
  let [sum, windows] = [0, 0];
  for (let c = 0; c < channels; c++)
    for (let y = 5; y < height - 5; y++)
      for (let x = 5; x < width - 5; x++) {
        const average = (value: (i: number) => number) => {
          let total = 0;
          for (let dy = -5; dy <= 5; dy++)
            for (let dx = -5; dx <= 5; dx++)
              total += (weight(dy, dx) / norm) * value(((y + dy) * width + x + dx) * channels + c);
          return total;
        };
        const [ma, mb] = [average((i) => a[i]), average((i) => b[i])];
        const va = average((i) => (a[i] - ma) ** 2);
        const vb = average((i) => (b[i] - mb) ** 2);
        const cov = average((i) => (a[i] - ma) * (b[i] - mb));
        const [c1, c2] = [2.55 ** 2, 7.65 ** 2];
        sum += ((2 * ma * mb + c1) * (2 * cov + c2)) / ((ma ** 2 + mb ** 2 + c1) * (va + vb + c2));
        windows++;
      }
  return sum / windows;
}

describe('ssim', () => {
  it('agrees with scikit-image (gaussian_weights, sigma 1.5, no sample covariance, per channel)', () => {
    const a = image((i) => (i * 37 + ((i * i) % 101)) % 256);
    const b = image((i) => Math.min(255, Math.max(0, a[i] + ((i * 13) % 31) - 15)));
    expect(ssim(a, b, SHAPE)).toBeCloseTo(0.99292799614872, 12);
  });

  it('equals its definition', () => {
    const shape = { height: 12, width: 13, channels: 2 };
    const size = 12 * 13 * 2;
    const pixels = fc.uint8Array({ minLength: size, maxLength: size });
    fc.assert(
      fc.property(pixels, pixels, (a, b) => {
        const similarity = ssim(a, b, shape)!;
        expect(similarity).toBeCloseTo(ssimByDefinition(a, b, shape), 9);
        expect(ssim(b, a, shape)).toBe(similarity);
        expect(Math.abs(similarity)).toBeLessThanOrEqual(1);
        expect(ssim(a, a, shape)).toBe(1);
      }),
      { numRuns: 25 },
    );
  });

  it('compares flat images by their brightness alone', () => {
    const c1 = 2.55 ** 2;
    const expected = (2 * 100 * 120 + c1) / (100 ** 2 + 120 ** 2 + c1);
    expect(
      ssim(
        image(() => 100),
        image(() => 120),
        SHAPE,
      ),
    ).toBeCloseTo(expected, 9);
  });

  it('sees a change in one channel at a third of its weight', () => {
    const a = image(() => 100);
    const all = ssim(
      a,
      image(() => 120),
      SHAPE,
    )!;
    const one = ssim(
      a,
      image((i) => (i % 3 === 1 ? 120 : 100)),
      SHAPE,
    )!;
    expect(1 - one).toBeCloseTo((1 - all) / 3, 9);
  });

  it('is null below the window and refuses arrays that do not fit', () => {
    const small = image(() => 0, 100);
    expect(ssim(small, small, { height: 10, width: 10, channels: 1 })).toBeNull();
    expect(() => ssim(small, small, SHAPE)).toThrow(
      new RangeError('images have 100 values, not 17 x 23 x 3'),
    );
  });
});
