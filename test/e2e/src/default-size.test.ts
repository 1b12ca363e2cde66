import { readFile } from 'node:fs/promises';
import { AUXILIARY_FACETS, Report } from '@facet/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { facet, scratch } from './facet.js';

/** What the demo claims, at its default size: the figures of the issue that it was built for. */
describe('facet demo', () => {
  let folder: Awaited<ReturnType<typeof scratch>>;
  let report: Report;

  beforeAll(async () => {
    folder = await scratch();
    const { code, stderr } = await facet(['demo', '--out', folder.path('out')]);
    expect(code, stderr).toBe(0);
    report = Report.parse(JSON.parse(await readFile(folder.path('out', 'report.json'), 'utf8')));
  });
  afterAll(() => folder.remove());

  const rate = (facetName: string, objective: string): number => {
    const cell = report.cells.find(
      ({ facet: name, objective: own, search, norm, epsilon }) =>
        name === facetName &&
        own === objective &&
        search === 'pgd-10' &&
        norm === 'linf' &&
        Math.abs(epsilon - 2 / 255) < 1e-9,
    );
    return cell?.attackSuccessRate ?? NaN;
  };
  const mean = (objective: string): number =>
    AUXILIARY_FACETS.reduce((sum, name) => sum + rate(name, objective), 0) / AUXILIARY_FACETS.length;

  it('trains a network that decides well, and not perfectly', () => {
    expect(report.clean.accuracy).toBeGreaterThanOrEqual(0.95);
    expect(report.clean.accuracy).toBeLessThanOrEqual(0.995);
  });

  it('gains at least 30 points from the prior at 2/255, and nothing from directions of shuffled labels', () => {
    expect(mean('sfa') - mean('facet')).toBeGreaterThanOrEqual(0.3);
    expect(mean('control')).toBeLessThan(mean('facet') - 0.05);
    // On every facet by itself: what a lucky draw would hide in a mean.
    for (const name of AUXILIARY_FACETS)
      expect(rate(name, 'sfa') - rate(name, 'control'), name).toBeGreaterThan(0.25);
  });
});
