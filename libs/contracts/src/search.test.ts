import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatSearch, SearchConfig } from './search.js';

const searches = fc.oneof(
  fc.constant<SearchConfig>({ name: 'fgsm' }),
  fc
    .record(
      {
        name: fc.constant('pgd' as const),
        steps: fc.integer({ min: 1, max: 1000 }),
        restarts: fc.integer({ min: 1, max: 100 }),
        relativeStep: fc.double({ min: 1e-9, max: 10, noNaN: true }),
      },
      { requiredKeys: ['name', 'steps', 'restarts'] },
    )
    .map((search): SearchConfig => search),
);

describe('formatSearch', () => {
  it('is short', () => {
    expect(formatSearch({ name: 'fgsm' })).toBe('fgsm');
    expect(formatSearch(SearchConfig.parse({ name: 'pgd' }))).toBe('pgd-10');
    expect(formatSearch({ name: 'pgd', steps: 40, restarts: 5 })).toBe('pgd-40x5');
    expect(formatSearch({ name: 'pgd', steps: 40, restarts: 1, relativeStep: 0.25 })).toBe('pgd-40-s0.25');
  });

  it('names different searches differently', () => {
    fc.assert(
      fc.property(searches, searches, (a, b) => {
        fc.pre(JSON.stringify(a) !== JSON.stringify(b));
        expect(formatSearch(a)).not.toBe(formatSearch(b));
      }),
    );
  });

  it.each([
    { steps: 0 },
    { steps: 1001 },
    { steps: 1.5 },
    { restarts: 0 },
    { relativeStep: 0 },
    { momentum: 1 },
  ])('has no name for %j: it is refused', (option) => {
    expect(SearchConfig.safeParse({ name: 'pgd', ...option }).success).toBe(false);
  });
});
