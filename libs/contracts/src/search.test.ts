import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatIssues } from './issues.js';
import { formatSearch, needsGradient, passesOf, SearchConfig } from './search.js';
import { searches } from './searches.fixture.js';

describe('formatSearch', () => {
  it.each<[SearchConfig | object, string]>([
    [{ name: 'fgsm' }, 'fgsm'],
    [{ name: 'fgsm', loss: 'cross-entropy' }, 'fgsm-ce'],
    [{ name: 'bim' }, 'bim-10'],
    [{ name: 'pgd' }, 'pgd-10'],
    [{ name: 'pgd', steps: 40, restarts: 5 }, 'pgd-40x5'],
    [{ name: 'pgd', steps: 40, relativeStep: 0.25, schedule: 'cosine' }, 'pgd-40-s0.25-cosine'],
    [{ name: 'pgd', relativeStep: 1, schedule: 'cosine', abandon: 0.4 }, 'pgd-10-s1-cosine-a0.4'],
    [{ name: 'pgd', schedule: 'constant', loss: 'margin', stop: 'fooled' }, 'pgd-10'],
    [{ name: 'pgd', stop: 'never' }, 'pgd-10-full'],
    [{ name: 'mi-fgsm', di: 0.5, ti: 7, si: 5 }, 'mi-fgsm-10-di0.5-ti7-si5'],
    [{ name: 'ni-fgsm', decay: 0.9 }, 'ni-fgsm-10-m0.9'],
    [{ name: 'apgd', restarts: 3 }, 'apgd-100x3'],
    [{ name: 'square', share: 0.1 }, 'square-5000-p0.1'],
    [{ name: 'hop-skip-jump', queries: 300 }, 'hop-skip-jump-300'],
    [{ name: 'minimal-epsilon' }, 'min-pgd-10-r6'],
    [{ name: 'auto' }, 'auto'],
  ])('%j is %s', (given, name) => {
    expect(formatSearch(SearchConfig.parse(given))).toBe(name);
  });

  it('names different searches differently, in words that a cell id may hold', () => {
    fc.assert(
      fc.property(searches, searches, (a, b) => {
        expect(formatSearch(a)).toMatch(/^[a-z0-9][a-z0-9._-]*$/);
        fc.pre(JSON.stringify(a) !== JSON.stringify(b));
        expect(formatSearch(a)).not.toBe(formatSearch(b));
      }),
    );
  });

  it('is of what a plan may hold', () => {
    fc.assert(
      fc.property(searches, (search) => {
        expect(SearchConfig.parse(search)).toEqual(search);
      }),
    );
  });
});

describe('SearchConfig', () => {
  it.each([
    { steps: 0 },
    { steps: -1 },
    { steps: 1001 },
    { steps: 1.5 },
    { restarts: 0 },
    { relativeStep: 0 },
    { momentum: 1 },
    { di: 0 },
    { di: 1.1 },
    { ti: 4 },
    { si: 1 },
    { schedule: 'warm' },
    { loss: 'hinge' },
    { abandon: 0 },
    { abandon: 1.1 },
  ])('refuses pgd with %j', (option) => {
    expect(SearchConfig.safeParse({ name: 'pgd', ...option }).success).toBe(false);
  });

  it.each([{ di: 0.5 }, { ti: 3 }, { si: 2 }, { stop: 'never' }])(
    'refuses to abandon samples by scores of other images, or where none shall leave: %j',
    (other) => {
      for (const name of ['bim', 'pgd']) {
        const parsed = SearchConfig.safeParse({ name, abandon: 0.5, ...other });
        expect(formatIssues(parsed.error!).join()).toMatch(/^abandon: must not stand beside/);
      }
      expect(SearchConfig.safeParse({ name: 'mi-fgsm', abandon: 0.5 }).success).toBe(false);
    },
  );

  it('says what to use where somebody asks for DLR', () => {
    const parsed = SearchConfig.safeParse({ name: 'apgd', loss: 'dlr' });
    expect(formatIssues(parsed.error!).join()).toMatch(
      /^loss: dlr .* undefined for two classes.*take margin/,
    );
  });

  it('refuses to bisect what never stops, and to bisect a bisection', () => {
    const nested = (search: object) => SearchConfig.safeParse({ name: 'minimal-epsilon', search });
    expect(formatIssues(nested({ name: 'pgd', stop: 'never' }).error!).join()).toContain('search.stop: ');
    expect(nested({ name: 'minimal-epsilon' }).success).toBe(false);
    expect(nested({ name: 'auto' }).success).toBe(false);
    expect(nested({ name: 'apgd', steps: 20 }).success).toBe(true);
  });
});

describe('what a search asks of a model', () => {
  it.each<[object, number, boolean]>([
    [{ name: 'fgsm' }, 1, true],
    [{ name: 'pgd', steps: 40, restarts: 5 }, 200, true],
    [{ name: 'mi-fgsm', si: 5 }, 50, true],
    [{ name: 'apgd', restarts: 2 }, 200, true],
    [{ name: 'square', queries: 7 }, 7, false],
    [{ name: 'hop-skip-jump' }, 5000, false],
    [{ name: 'minimal-epsilon' }, 70, true],
    [{ name: 'minimal-epsilon', search: { name: 'square', queries: 10 }, rounds: 3 }, 40, false],
    [{ name: 'auto' }, 1300, false],
  ])('%j: %i passes, gradients: %s', (given, passes, gradients) => {
    const search = SearchConfig.parse(given);
    expect(passesOf(search)).toBe(passes);
    expect(needsGradient(search)).toBe(gradients);
  });
});
