import { LIVE, SPOOF } from '@facet/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ShuffledClasses } from './groupings.js';

describe('ShuffledClasses', () => {
  it('gives each half of every class the same name, however the classes alternate', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(LIVE, SPOOF), { maxLength: 60 }), fc.nat(), (classes, seed) => {
        const shuffled = new ShuffledClasses(seed);
        const given = classes.map((own) => shuffled.next(own));
        for (const own of [LIVE, SPOOF]) {
          const names = given.filter((_, i) => classes[i] === own);
          const live = names.filter((name) => name === LIVE).length;
          expect(Math.abs(names.length - 2 * live)).toBeLessThanOrEqual(1);
        }
        const again = new ShuffledClasses(seed);
        expect(classes.map((own) => again.next(own))).toEqual(given);
      }),
    );
  });
});
