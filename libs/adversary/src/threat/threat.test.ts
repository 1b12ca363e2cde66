import { NORMS, type Norm } from '@facet/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '@facet/random';
import { budgetOf, rootMeanSquare } from './budget.js';
import { dequantise, quantise } from './quantise.js';

const bytes = fc.uint8Array({ minLength: 12, maxLength: 48 });
const epsilon = fc.oneof(
  fc.integer({ min: 1, max: 32 }).map((level) => level / 255),
  fc.double({ min: 0.001, max: 0.3, noNaN: true }),
);

const lengthOf = (norm: Norm, pixels: Float32Array, clean: Float32Array): number =>
  norm === 'l2'
    ? rootMeanSquare(pixels, clean)
    : pixels.reduce((top, value, i) => Math.max(top, Math.abs(value - clean[i])), 0);

describe.each(NORMS)('budget of %s', (norm) => {
  it('keeps starts, steps and stored images inside the ball and the box', () => {
    fc.assert(
      fc.property(bytes, epsilon, fc.nat(), (image, size, seed) => {
        const budget = budgetOf({ norm, epsilon: size });
        const clean = dequantise(image);
        const pixels = new Float32Array(clean.length);
        const random = new Random(seed);
        budget.start(clean, pixels, random);
        const inside = (at: Float32Array): void => {
          expect(lengthOf(norm, at, clean)).toBeLessThanOrEqual(size + 1e-6);
          expect(at.every((value) => value >= 0 && value <= 1)).toBe(true);
        };
        inside(pixels);
        for (let step = 0; step < 3; step++) {
          budget.step(
            pixels,
            Float32Array.from(clean, () => random.uniform() - 0.5),
            size,
          );
          budget.project(pixels, clean);
          inside(pixels);
        }
        inside(dequantise(quantise(pixels, image, budget.threat)));
      }),
    );
  });

  it('leaves a batch of one and the same sample in any batch alike', () => {
    const clean = dequantise(Uint8Array.from({ length: 48 }, (_, i) => i * 5));
    const budget = budgetOf({ norm, epsilon: 4 / 255 });
    const [a, b] = [new Float32Array(48), new Float32Array(48)];
    budget.start(clean, a, new Random(7, 'key', 0));
    budget.start(clean, b, new Random(7, 'key', 0));
    expect(a).toEqual(b);
  });

  it('reaches the whole epsilon', () => {
    const clean = new Float32Array(48).fill(0.5);
    const pixels = Float32Array.from(clean);
    const budget = budgetOf({ norm, epsilon: 8 / 255 });
    budget.step(
      pixels,
      Float32Array.from(clean, (_, i) => (i % 2 ? 1 : -1)),
      8 / 255,
    );
    budget.project(pixels, clean);
    expect(lengthOf(norm, pixels, clean)).toBeCloseTo(8 / 255, 6);
  });
});

describe('quantise', () => {
  it('gives an unchanged image back', () => {
    const image = Uint8Array.from({ length: 256 }, (_, i) => i);
    for (const norm of NORMS)
      expect(quantise(dequantise(image), image, { norm, epsilon: 1 / 255 })).toEqual(image);
  });

  it('reaches a whole number of levels at an epsilon of as many', () => {
    const image = new Uint8Array(12).fill(100);
    const pixels = Float32Array.from(image, (v) => (v + 2) / 255);
    expect([...quantise(pixels, image, { norm: 'linf', epsilon: 2 / 255 })]).toEqual(new Array(12).fill(102));
  });

  it('bounds L-infinity as comparisons do, pixels outside the box included', () => {
    const pixel = fc.float({ min: -1, max: 2, noNaN: true });
    fc.assert(
      fc.property(
        bytes,
        fc.array(pixel, { minLength: 48, maxLength: 48 }),
        epsilon,
        (clean, values, size) => {
          const reach = Math.floor(size * 255 + 1e-4);
          const stored = quantise(Float32Array.from(values.slice(0, clean.length)), clean, {
            norm: 'linf',
            epsilon: size,
          });
          const expected = Array.from(clean, (level, i) => {
            const wanted = Math.trunc(Math.fround(values[i]) * 255 + 0.5);
            return Math.min(255, level + reach, Math.max(0, level - reach, wanted));
          });
          expect([...stored]).toEqual(expected);
        },
      ),
    );
  });

  it('takes back, in L2, the changes that rounding lengthened most until the length is kept, of equals the first', () => {
    const image = fc.uint8Array({ minLength: 12, maxLength: 96 });
    // Fractions of a level that often are equal.
    const moves = fc.array(fc.integer({ min: -24, max: 24 }), { minLength: 96, maxLength: 96 });
    fc.assert(
      fc.property(image, moves, fc.integer({ min: 1, max: 30 }), (clean, eighths, tenths) => {
        const pixels = Float32Array.from(clean, (v, i) =>
          Math.min(1, Math.max(0, (v + eighths[i] / 8) / 255)),
        );
        const wanted = Array.from(pixels, (pixel, i) => pixel * 255 - clean[i]);
        const change = Array.from(pixels, (pixel, i) => Math.round(pixel * 255) - clean[i]);
        const fraction = (i: number) => Math.abs(wanted[i]) % 1;
        const lengthened = change
          .map((_, i) => i)
          .filter((i) => Math.abs(change[i]) > Math.abs(wanted[i]))
          .sort((a, b) => fraction(a) - fraction(b) || a - b);
        const room = (tenths / 10) ** 2 * clean.length + 1e-4;
        while (lengthened.length > 0 && change.reduce((sum, one) => sum + one * one, 0) > room)
          change[lengthened[0]] -= Math.sign(change[lengthened.shift()!]);
        const stored = quantise(pixels, clean, { norm: 'l2', epsilon: tenths / 10 / 255 });
        expect([...stored]).toEqual(change.map((one, i) => clean[i] + one));
      }),
    );
  });
});
