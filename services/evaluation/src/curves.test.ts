import { bootstrap } from '@facet/metrics';
import { Random } from '@facet/random';
import { describe, expect, it } from 'vitest';
import { FGSM, groupOf, judgedCell, l2, linf, PGD, planOf } from './cells.fixture.js';
import { curveOf, rankingOf, sweepsOf, sweepStatistics } from './curves.js';
import type { JudgedCell } from './judge.js';

function draw(cells: readonly JudgedCell[], statistics: Parameters<typeof bootstrap>[2]) {
  const random = new Random(1);
  return bootstrap(cells.at(0)?.keys ?? [], () => random.uniform(), statistics, 200);
}
const curvesOf = (cells: readonly JudgedCell[]) => {
  const sweeps = sweepsOf(cells);
  const drawn = draw(cells, Object.assign({}, ...sweeps.map(sweepStatistics)));
  return sweeps.map((sweep) => curveOf(sweep, drawn));
};

describe('curvesOf', () => {
  it('gathers epsilons in order, with the area under them', () => {
    const [curve, ...others] = curvesOf([
      judgedCell('depth', 'facet', 0.8, { threat: linf(4) }),
      judgedCell('depth', 'facet', 0.4, { threat: linf(2) }),
      judgedCell('depth', 'facet', null, { threat: linf(1) }),
    ]);
    expect(others).toEqual([]);
    expect(curve.points.map(({ attackSuccessRate }) => attackSuccessRate)).toEqual([null, 0.4, 0.8]);
    // Trapezoids over epsilon 0, 2, 4 of rates 0, 0.4, 0.8.
    expect(curve.areaUnderSuccess).toBeCloseTo((0.4 + 1.2) / 4, 12);
    expect(curvesOf([judgedCell('depth', 'facet', null)])[0].areaUnderSuccess).toBeNull();
  });

  it('says at which epsilon half of the decisions fell, by direction too, and how sure that is', () => {
    const [curve] = curvesOf([
      judgedCell('depth', 'facet', 0.25, { threat: linf(1) }),
      judgedCell('depth', 'facet', 0.75, { threat: linf(2) }),
    ]);
    expect(curve.medianMinimalEpsilon).toBe(2 / 255);
    expect(curve.medianInterval).toEqual([2 / 255, 2 / 255]);
    expect(curve.directions).toEqual({
      spoofAsLive: { areaUnderSuccess: null, medianMinimalEpsilon: 2 / 255 },
      liveAsSpoof: { areaUnderSuccess: null, medianMinimalEpsilon: 2 / 255 },
    });
    const [low, high] = curve.areaInterval!;
    expect(low).toBeLessThan(curve.areaUnderSuccess!);
    expect(high).toBeGreaterThan(curve.areaUnderSuccess!);
    const [stands] = curvesOf([judgedCell('depth', 'facet', 0.25)]);
    expect([stands.medianMinimalEpsilon, stands.medianInterval]).toEqual([null, null]);
  });

  it('keeps norms, searches, objectives and facets apart', () => {
    const cells = [
      judgedCell('depth', 'facet', 0.1),
      judgedCell('depth', 'facet', 0.1, { threat: l2(2) }),
      judgedCell('depth', 'facet', 0.1, { search: 'pgd-5' }),
      judgedCell('depth', 'sfa', 0.1),
      judgedCell('hair', 'facet', 0.1),
    ];
    expect(curvesOf(cells)).toHaveLength(5);
  });
});

describe('rankingOf', () => {
  const plan = planOf([groupOf({ searches: [FGSM, PGD], threats: [linf(1), linf(2), l2(1)] })]);
  const facets = ['attributes', 'depth', 'reflection'];
  const rank = (...args: Parameters<typeof judgedCell>[]) => {
    const cells = args.map((one) => judgedCell(...one));
    const ranking = rankingOf(plan, sweepsOf(cells), facets);
    return ranking.rank(draw(cells, ranking.statistics));
  };
  const ranked = (...args: Parameters<typeof judgedCell>[]): Record<string, number | null> =>
    Object.fromEntries([...rank(...args).facets].map(([facet, one]) => [facet, one.rank]));
  const pgd = { search: 'pgd-5' };

  it('goes by the last search under L-infinity, whatever came last', () => {
    expect(
      ranked(
        ['attributes', 'sfa', 0.9, pgd],
        ['depth', 'sfa', 0.5, pgd],
        ['attributes', 'sfa', 0.1, { search: 'pgd-5', threat: l2(1) }],
        ['depth', 'sfa', 0.9, { search: 'pgd-5', threat: l2(1) }],
        ['depth', 'sfa', 1],
        ['attributes', 'sfa', 0],
      ),
    ).toEqual({ attributes: 1, depth: 2 });
  });

  it('goes by sfa where it ran, else by the own loss; ties by name', () => {
    expect(
      ranked(
        ['attributes', 'facet', 0.2, pgd],
        ['depth', 'facet', 1, pgd],
        ['depth', 'sfa', 0.1, pgd],
        ['reflection', 'facet', 0.2, pgd],
        ['reflection', 'control', 1, pgd],
      ),
    ).toEqual({ attributes: 1, reflection: 2, depth: 3 });
  });

  it('falls back to what ran, and ranks nothing without a figure there', () => {
    expect(ranked(['depth', 'facet', 0.5, { threat: l2(1) }])).toEqual({ depth: 1 });
    expect(ranked(['depth', 'facet', null, pgd], ['reflection', 'facet', 1])).toEqual({});
    expect(ranked()).toEqual({});
  });

  it('leaves out epsilons at which the attack on the decision is saturated, but never the smallest', () => {
    const at = (levels: number) => ({ ...pgd, threat: linf(levels) });
    const saturated = rank(
      ['live', 'direct', 0.6, at(1)],
      ['live', 'direct', 1, at(2)],
      ['depth', 'sfa', 0.5, at(1)],
      ['depth', 'sfa', 0.5, at(2)],
      ['attributes', 'sfa', 0.4, at(1)],
      ['attributes', 'sfa', 1, at(2)],
    );
    expect(saturated.by).toMatchObject({ epsilons: [1 / 255], saturated: [2 / 255] });
    expect(saturated.facets.get('depth')?.rank).toBe(1);
    expect(rank(['live', 'direct', 1, at(1)], ['depth', 'sfa', 0.5, at(1)]).by?.saturated).toEqual([]);
  });

  it('says how often a facet is the weakest, so that a close race is seen as one', () => {
    const clear = rank(['attributes', 'sfa', 0.9, pgd], ['depth', 'sfa', 0.1, pgd]).facets;
    expect(clear.get('attributes')).toEqual({ rank: 1, rankInterval: [1, 1], weakestShare: 1 });
    expect(clear.get('depth')).toEqual({ rank: 2, rankInterval: [2, 2], weakestShare: 0 });
    const close = rank(['attributes', 'sfa', 0.5, pgd], ['depth', 'sfa', 0.5, pgd]).facets;
    expect(close.get('depth')).toMatchObject({ rank: 2, weakestShare: 1 });
  });
});
