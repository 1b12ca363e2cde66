import fc from 'fast-check';
import { expect, it } from 'vitest';
import { borrow, giveBack } from './memory.js';

it('lends as much as is asked for, and nothing twice', () => {
  // A length is borrowed; undefined gives back what was borrowed first.
  const asked = fc.array(fc.option(fc.integer({ min: 1, max: 100 }), { nil: undefined }), { maxLength: 60 });
  fc.assert(
    fc.property(asked, (requests) => {
      const lent: Float32Array[] = [];
      for (const length of requests) {
        const first = length === undefined ? lent.shift() : undefined;
        if (first !== undefined) giveBack(first);
        if (length === undefined) continue;
        const data = borrow(length);
        expect(data).toHaveLength(length);
        expect(lent.map(({ buffer }) => buffer)).not.toContain(data.buffer);
        lent.push(data);
      }
      lent.forEach(giveBack);
    }),
  );
});

it('makes nothing new for what was given back', () => {
  // Both larger than what was given back before, which is kept as well.
  const [large, small] = [borrow(1000), borrow(200)];
  giveBack(large);
  giveBack(small);
  expect(borrow(200).buffer).toBe(small.buffer);
  expect(borrow(900).buffer).toBe(large.buffer);
});

it('keeps nothing that is too large', () => {
  const length = 2 ** 22 + 1;
  const { buffer } = borrow(length);
  giveBack(new Float32Array(buffer));
  expect(borrow(length).buffer).not.toBe(buffer);
});
