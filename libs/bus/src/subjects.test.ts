import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { subjectMatches, subjectsOverlap } from './subjects.js';

const token = fc.constantFrom('a', 'b');
const subject = fc.array(token, { minLength: 1, maxLength: 4 }).map((tokens) => tokens.join('.'));
const filter = fc
  .tuple(fc.array(fc.constantFrom('a', 'b', '*'), { maxLength: 3 }), fc.constantFrom('a', '*', '>'))
  .map(([tokens, last]) => [...tokens, last].join('.'));

/** Every subject of up to five tokens over the alphabet of the filters. */
const all = [1, 2, 3, 4, 5].reduce<string[][]>(
  (lengths) => [
    ...lengths,
    lengths.at(-1)!.flatMap((s) => ['a', 'b'].map((t) => (s === '' ? t : `${s}.${t}`))),
  ],
  [['']],
);
const subjects = all.slice(1).flat();

describe('subjects', () => {
  it.each([
    ['a.b', 'a.b', true],
    ['a.b', 'a', false],
    ['a', 'a.b', false],
    ['a.*', 'a.b', true],
    ['a.*', 'a', false],
    ['a.*', 'a.b.c', false],
    ['a.>', 'a.b.c', true],
    ['a.>', 'a', false],
    ['>', 'a', true],
    ['*.b.>', 'a.b.c', true],
  ])('%s means %s: %s', (wanted, name, expected) => {
    expect(subjectMatches(wanted, name)).toBe(expected);
  });

  it('match themselves', () => {
    fc.assert(fc.property(subject, (name) => subjectMatches(name, name)));
  });

  it('overlap where some subject is meant by both', () => {
    fc.assert(
      fc.property(filter, filter, (one, two) => {
        const common = subjects.some((name) => subjectMatches(one, name) && subjectMatches(two, name));
        expect(subjectsOverlap(one, two)).toBe(common);
      }),
    );
  });
});
