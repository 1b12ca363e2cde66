import { SearchConfig } from '@facet/contracts';
import { expect, it } from 'vitest';
import { lowerBoundNotes } from './lower-bounds.js';

const notesOf = (...searches: object[]): string[] =>
  lowerBoundNotes({
    attacks: [
      {
        facets: 'all',
        objectives: ['direct'],
        searches: searches.map((search) => SearchConfig.parse(search)),
        threats: [{ norm: 'linf', epsilon: 1 / 255 }],
      },
    ],
  });

it('names the searches that leave samples behind, once each', () => {
  const pgd = { name: 'pgd', abandon: 0.3 };
  const [note, ...others] = notesOf(pgd, pgd, { name: 'minimal-epsilon', search: pgd }, { name: 'bim' });
  expect(note).toMatch(/^pgd-10-a0.3, min-pgd-10-a0.3-r6: samples .* lower bound$/);
  expect(others).toEqual([]);
});

it('says nothing where every search goes to its end', () => {
  expect(notesOf({ name: 'pgd' }, { name: 'auto' })).toEqual([]);
});
