import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Dim } from '../graph.js';
import { broadcast, dimAt, dimsAt, dimsText, dividedBy, perSample, plus, product, times } from './dims.js';
import { strideOf } from './slicing.js';

const dim = fc.oneof(
  fc.integer({ min: 0, max: 6 }),
  fc.integer({ min: 1, max: 4 }).map((k): Dim => perSample(k)),
);
const batch = fc.integer({ min: 1, max: 9 });

describe('sizes up to the batch', () => {
  it('add, multiply and divide as numbers do at every batch size', () => {
    fc.assert(
      fc.property(dim, dim, batch, (a, b, n) => {
        const [x, y] = [dimAt(a, n), dimAt(b, n)];
        for (const [result, expected] of [
          [plus(a, b), x + y],
          [times(a, b), x * y],
          [dividedBy(a, b), x / y],
        ] as const)
          if (result !== undefined) expect(dimAt(result, n)).toBe(expected);
      }),
    );
  });

  it('have no square', () => {
    expect(product([perSample(1), 3, perSample(2)])).toBeUndefined();
    expect(product([perSample(2), 3])).toEqual({ perSample: 6 });
    expect(dimsText([perSample(1), 3, perSample(4)])).toBe('[N,3,4N]');
  });
});

describe('broadcast', () => {
  /** The standard's rule on plain numbers, written the slow way. */
  function reference(shapes: readonly (readonly number[])[]): number[] | undefined {
    const rank = Math.max(...shapes.map((shape) => shape.length));
    const columns = Array.from({ length: rank }, (_, axis) =>
      shapes.map((shape) => shape[axis - rank + shape.length] ?? 1).filter((size) => size !== 1),
    );
    if (columns.some((sizes) => new Set(sizes).size > 1)) return undefined;
    return columns.map((sizes) => sizes[0] ?? 1);
  }
  const size = fc.constantFrom<Dim>(1, 1, 2, 3, perSample(1), perSample(2));

  it('gives what the sizes at any batch give, and refuses what fails at a large one', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(size, { maxLength: 4 }), { minLength: 1, maxLength: 3 }),
        batch,
        (shapes, n) => {
          const result = broadcast(shapes);
          const large = 100 + n;
          if (result === undefined) expect(reference(shapes.map((s) => dimsAt(s, large)))).toBeUndefined();
          else expect(reference(shapes.map((s) => dimsAt(s, large)))).toEqual(dimsAt(result, large));
        },
      ),
    );
  });
});

describe('strideOf', () => {
  const bound = fc.oneof(fc.integer({ min: -12, max: 12 }), fc.constantFrom(2 ** 63, -(2 ** 63)));
  const step = fc.integer({ min: -4, max: 4 }).filter((s) => s !== 0);

  it('takes the elements that NumPy takes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9 }), bound, bound, step, (size, start, end, by) => {
        const counted = (at: number) => (at < 0 ? at + size : at);
        const from = by > 0 ? Math.max(counted(start), 0) : Math.min(counted(start), size - 1);
        const expected: number[] = [];
        for (
          let at = from;
          by > 0 ? at < Math.min(counted(end), size) : at > Math.max(counted(end), -1);
          at += by
        )
          expected.push(at);
        const stride = strideOf(size, start, end, by);
        expect(Array.from({ length: stride.count }, (_, i) => stride.start + i * by)).toEqual(
          expected.filter((at) => at >= 0),
        );
      }),
    );
  });
});
