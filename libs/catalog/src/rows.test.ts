import type { CleanScore, Outcome } from '@facet/contracts';
import { InputError } from '@facet/runtime';
import fc from 'fast-check';
import { parquetReadObjects } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { readOutcomes, readScores, writeOutcomes, writeScores } from './rows.js';

const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
const text = fc.string({ unit: 'grapheme' });
const maybe = fc.option(text);
const label = fc.constantFrom('live' as const, 'spoof' as const);
const outcome: fc.Arbitrary<Outcome> = fc.record({
  key: text,
  label,
  species: maybe,
  illumination: maybe,
  cleanScore: number,
  adversarialScore: number,
  correct: fc.boolean(),
  fooled: fc.boolean(),
  linf: number,
  l2: number,
});
const score: fc.Arbitrary<CleanScore> = fc.record({
  key: text,
  split: fc.constantFrom('dev', 'test'),
  label,
  species: maybe,
  illumination: maybe,
  attributes: maybe,
  subject: maybe,
  score: number,
});

const OUTCOME: Outcome = {
  key: 'a',
  label: 'spoof',
  species: null,
  illumination: null,
  cleanScore: 0.25,
  adversarialScore: 0.75,
  correct: true,
  fooled: false,
  linf: 2 / 255,
  l2: 0.001,
};

const SCORE: CleanScore = {
  key: 'a',
  split: 'dev',
  label: 'live',
  species: null,
  illumination: null,
  attributes: null,
  subject: null,
  score: 1,
};

describe('rows', () => {
  it('of outcomes come back as they were, nulls and all', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(outcome, { maxLength: 20 }), async (rows) => {
        expect(await readOutcomes(writeOutcomes(rows), 'f')).toEqual(rows);
      }),
    );
  });

  it('of scores come back as they were', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(score, { maxLength: 20 }), async (rows) => {
        expect(await readScores(writeScores(rows), 'f')).toEqual(rows);
      }),
    );
  });

  it('give the same bytes whenever and from whatever objects they are written', () => {
    const reordered = Object.fromEntries(Object.entries(OUTCOME).reverse()) as Outcome;
    expect(writeOutcomes([reordered])).toEqual(writeOutcomes([OUTCOME]));
    expect(writeOutcomes([{ ...OUTCOME, fooled: true }])).not.toEqual(writeOutcomes([OUTCOME]));
  });

  it.each([0, 1, 10_000])('may be %i', async (count) => {
    const rows = Array.from({ length: count }, (_, i) => ({
      ...OUTCOME,
      key: `k${i}`,
      species: i % 3 === 0 ? null : 'pad',
      cleanScore: Math.sin(i),
    }));
    expect(await readOutcomes(writeOutcomes(rows), 'f')).toEqual(rows);
  });

  it('are columns of the plain types that other tools expect', async () => {
    const bytes = writeOutcomes([OUTCOME]);
    expect(await parquetReadObjects({ file: new Uint8Array(bytes).buffer })).toEqual([OUTCOME]);
    expect(Buffer.from(bytes.subarray(0, 4)).toString()).toBe('PAR1');
  });

  it.each(['cleanScore', 'adversarialScore', 'linf', 'l2'] as const)(
    'are refused before they are written where %s is no finite number',
    (field) => {
      for (const value of [Number.NaN, Infinity])
        expect(() => writeOutcomes([OUTCOME, { ...OUTCOME, key: 'b', [field]: value }])).toThrow(
          new InputError(`${field} is ${value}`, { field: 'b' }),
        );
    },
  );
});

describe('a wrong file of rows', () => {
  const good = writeOutcomes([OUTCOME, { ...OUTCOME, key: 'b' }]);
  it.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array(0)],
    ['no Parquet', Buffer.from('hello, this is no parquet file at all')],
    ['rows of another kind', writeScores([SCORE])],
    ['the first half', good.subarray(0, good.length / 2)],
    ['all but the last byte', good.subarray(0, -1)],
    ['a label that does not exist', writeOutcomes([{ ...OUTCOME, label: 'real' as never }])],
  ])('is refused by name: %s', async (_, bytes) => {
    await expect(readOutcomes(bytes, 'cells/x.parquet')).rejects.toThrow(InputError);
    await expect(readOutcomes(bytes, 'cells/x.parquet')).rejects.toThrow(
      /^cells\/x\.parquet: is not a Parquet/,
    );
  });
});
