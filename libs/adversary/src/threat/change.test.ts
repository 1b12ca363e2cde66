import fc from 'fast-check';
import { expect, it } from 'vitest';
import { largestChange, rootMeanSquare } from './budget.js';
import { changeOf } from './change.js';
import { dequantise } from './quantise.js';

it('measures whole levels exactly, and as pixels are measured', () => {
  const images = fc.uint8Array({ minLength: 1, maxLength: 48 });
  fc.assert(
    fc.property(images, fc.integer({ min: 0, max: 255 }), (image, level) => {
      const clean = new Uint8Array(image.length).fill(level);
      const [a, b] = [dequantise(image), dequantise(clean)];
      const { linf, l2 } = changeOf(image, clean);
      expect(linf).toBe(Math.max(...Array.from(image, (value) => Math.abs(value - level))) / 255);
      expect(linf).toBeCloseTo(largestChange(a, b), 6);
      expect(l2).toBeCloseTo(rootMeanSquare(a, b), 6);
    }),
  );
});
