import { describe, expect, it } from 'vitest';
import { ARTIFACTS } from './json-schema.js';
import { Outcome } from './outcome.js';
import { Report } from './report.js';
import { OUTCOME, REPORT, VALID } from './samples.fixture.js';

it.each(Object.keys(ARTIFACTS) as (keyof typeof ARTIFACTS)[])('%s is the same after a round trip', (name) => {
  const parsed = ARTIFACTS[name].parse(VALID[name]);
  expect(ARTIFACTS[name].parse(JSON.parse(JSON.stringify(parsed)))).toEqual(parsed);
});

describe('Outcome', () => {
  it.each(['cleanScore', 'adversarialScore', 'linf', 'l2'])('refuses a %s that is no number', (field) => {
    for (const value of [Number.NaN, Infinity, null, '1', undefined])
      expect(Outcome.safeParse({ ...OUTCOME, [field]: value }).success).toBe(false);
  });
});

describe('Report', () => {
  const cell = REPORT.cells[0];
  it.each([
    ['a rate above 1', { clean: { ...REPORT.clean, accuracy: 100 } }],
    ['a rate that is no number', { clean: { ...REPORT.clean, auc: Number.NaN } }],
    ['an interval of one end', { cells: [{ ...cell, interval: [0.1] }] }],
    ['a norm that nobody knows', { cells: [{ ...cell, norm: 'l1' }] }],
    ['a rate that is left out instead of null', { cells: [{ ...cell, robustAuc: undefined }] }],
    ['half a sample', { clean: { ...REPORT.clean, samples: 1.5 } }],
  ])('refuses %s', (_, change) => {
    expect(Report.safeParse({ ...REPORT, ...change }).success).toBe(false);
  });
});
