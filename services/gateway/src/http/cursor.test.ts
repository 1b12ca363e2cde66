import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeCursor, encodeCursor, pageOf } from './cursor.js';

it('gives back what it was made of, and refuses what another list or nobody made', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z0-9-]{1,60}$/), (after) => {
      expect(decodeCursor(encodeCursor(after), /^[a-z0-9-]+$/)).toBe(after);
      expect(() => decodeCursor(encodeCursor(`../${after}`), /^[a-z0-9-]+$/)).toThrow(/query cursor/);
    }),
  );
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), (text) => {
      fc.pre(!text.startsWith('YzEu'));
      expect(() => decodeCursor(text, /.*/)).toThrow(/query cursor/);
    }),
  );
});

it('cuts any list into pages that hold each entry once, in order', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat()), fc.integer({ min: 1, max: 7 }), (items, limit) => {
      const all = [...items].sort((a, b) => a - b);
      const seen: number[] = [];
      for (let next: string | null | undefined = undefined; next !== null;) {
        const after = decodeCursor(next, /^\d+$/);
        const found = all.filter((item) => after === undefined || item > Number(after));
        const page = pageOf(found.slice(0, limit + 1), limit, String);
        seen.push(...page.items);
        ({ next } = page);
      }
      expect(seen).toEqual(all);
    }),
  );
});
