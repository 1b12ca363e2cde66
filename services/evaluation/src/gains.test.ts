import { bootstrap } from '@facet/metrics';
import { Random } from '@facet/random';
import { describe, expect, it } from 'vitest';
import { judgedCell, linf } from './cells.fixture.js';
import { gainsOf as drawnGains, gainStatistics } from './gains.js';
import type { JudgedCell } from './judge.js';

function gainsOf(cells: readonly JudgedCell[]) {
  const random = new Random(1);
  return drawnGains(
    cells,
    bootstrap(cells[0].keys, () => random.uniform(), gainStatistics(cells), 200),
  );
}

describe('gainsOf', () => {
  it('compares the facets for which both objectives have a figure, and only those', () => {
    const gains = gainsOf([
      judgedCell('depth', 'facet', 0.25),
      judgedCell('reflection', 'facet', 0.5),
      judgedCell('attributes', 'facet', 1),
      judgedCell('depth', 'sfa', 0.75),
      judgedCell('reflection', 'sfa', 1),
      judgedCell('illumination', 'sfa', 0),
      judgedCell('attributes', 'sfa', null),
      judgedCell('depth', 'control', 0),
      judgedCell('reflection', 'control', 0.5),
      judgedCell('live', 'direct', 1),
      judgedCell('own-tensor', 'facet', 1),
      judgedCell('own-tensor', 'sfa', 0),
    ]);
    expect(gains).toMatchObject([
      { search: 'fgsm', norm: 'linf', epsilon: 2 / 255, facet: 0.375, sfa: 0.875, control: 0.25, gain: 0.5 },
    ]);
  });

  it('has no gain where as many facets ran, but others', () => {
    const [gain] = gainsOf([
      judgedCell('depth', 'facet', 0.25),
      judgedCell('reflection', 'sfa', 0.75),
      judgedCell('reflection', 'control', 0.5),
    ]);
    expect(gain).toMatchObject({ facet: 0.25, sfa: 0.75, control: 0.5, gain: null });
  });

  it('has no control where that ran on fewer facets', () => {
    const [gain] = gainsOf([
      ...['depth', 'reflection'].flatMap((facet) => [
        judgedCell(facet, 'facet', 0.25),
        judgedCell(facet, 'sfa', 0.5),
      ]),
      judgedCell('depth', 'control', 0),
    ]);
    expect(gain).toMatchObject({ gain: 0.25, control: null });
  });

  it('keeps budgets apart', () => {
    const gains = gainsOf([
      judgedCell('depth', 'facet', 0.25),
      judgedCell('depth', 'sfa', 0.5, { threat: linf(1) }),
    ]);
    expect(gains.map(({ facet, sfa, gain }) => [facet, sfa, gain])).toEqual([
      [0.25, null, null],
      [null, 0.5, null],
    ]);
  });

  it('says how far the gain may be chance, paired by sample', () => {
    const [same] = gainsOf([judgedCell('depth', 'facet', 0.5), judgedCell('depth', 'sfa', 0.5)]);
    expect([same.gain, same.interval]).toEqual([0, [0, 0]]);
    const [more] = gainsOf([judgedCell('depth', 'facet', 0.25), judgedCell('depth', 'sfa', 0.75)]);
    expect(more.interval![0]).toBeGreaterThan(0.2);
    expect(more.interval![1]).toBeLessThan(0.8);
  });
});
