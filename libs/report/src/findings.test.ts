import type { Report } from '@facet/contracts';
import { describe, expect, it } from 'vitest';
import { findingsOf } from './findings.js';
import { fixtureReport, smallReport } from './report.fixture.js';
import { viewOf } from './view.js';

const find = (report: Report) => findingsOf(viewOf(report));
const withRates = (change: (rate: number) => number | null): Report => {
  const report = fixtureReport();
  return {
    ...report,
    cells: report.cells.map((cell) => ({ ...cell, attackSuccessRate: change(cell.attackSuccessRate ?? 0) })),
  };
};

describe('the weakest facet', () => {
  it('is the one of the first rank, at the smallest epsilon at which it gives way', () => {
    const { weakest, direct, givesWay } = find(fixtureReport());
    expect(weakest).toMatchObject({ facet: 'depth', objective: 'sfa', search: 'pgd-10', epsilon: 1 / 255 });
    expect(direct).toMatchObject({ facet: 'live', objective: 'direct', epsilon: 1 / 255 });
    expect(givesWay).toBe(true);
  });

  it('is shown at the largest epsilon where none makes it give way', () => {
    const { weakest, givesWay } = find(withRates((rate) => rate / 3));
    expect(weakest?.epsilon).toBe(8 / 255);
    expect(givesWay).toBe(false);
  });

  it('is shown by the facet objective where there was no prior', () => {
    const report = fixtureReport();
    const { weakest } = find({ ...report, cells: report.cells.filter((cell) => cell.objective !== 'sfa') });
    expect(weakest).toMatchObject({ facet: 'depth', objective: 'facet', epsilon: 1 / 255 });
  });

  it('is nobody without facets: then the decision speaks, and few samples are said', () => {
    const { weakest, direct, fewSamples } = find(smallReport());
    expect(weakest).toBeUndefined();
    expect(direct).toMatchObject({ facet: 'live', objective: 'direct' });
    expect(fewSamples).toBe(true);
  });

  it('is nobody where no rate is defined', () => {
    const findings = find(withRates(() => null));
    expect(findings.weakest).toBeUndefined();
    expect(findings.direct).toBeUndefined();
    expect(findings.givesWay).toBe(false);
  });
});

describe('what the prior adds', () => {
  const gains = (change: Partial<Report['gains'][number]>): Report => {
    const report = fixtureReport();
    return { ...report, gains: report.gains.map((gain) => ({ ...gain, ...change })) };
  };

  it('is the largest gain of the strongest search', () => {
    const report = fixtureReport();
    const own = report.gains.filter(({ search, norm }) => search === 'pgd-10' && norm === 'linf');
    const { prior } = find(report);
    expect(prior.kind === 'gain' && prior.best.gain).toBe(Math.max(...own.map(({ gain }) => gain ?? -1)));
    expect(prior.kind === 'gain' && prior.best.epsilon).toBe(2 / 255);
  });

  it.each([
    ['no-sfa', { sfa: null, gain: null }],
    ['no-facet', { facet: null, gain: null }],
    ['incomparable', { gain: null }],
  ])('is unknown for its reason: %s', (kind, change) => {
    expect(find(gains(change)).prior.kind).toBe(kind);
  });

  it('has nothing to compare without auxiliary facets', () => {
    expect(find(smallReport()).prior.kind).toBe('no-facets');
  });
});
