import { makeCell } from '@facet/catalog';
import { describe, expect, it } from 'vitest';
import { cellReport, featuresOf, FGSM, groupOf, l2, linf, outcome, PGD, planOf } from './cells.fixture.js';
import { curvesOf, gainsOf, judgeCell, judgeClean, ranksOf } from './judge.js';

describe('judgeCell', () => {
  const cell = makeCell({ facet: 'depth', objective: 'sfa', search: PGD, threat: linf(2) });

  it('counts success among what was decided rightly, by direction and species', () => {
    const report = judgeCell(
      cell,
      [
        outcome('a', 'live', 2, 1),
        outcome('b', 'live', 1, -1),
        outcome('c', 'live', -1, -2),
        outcome('d', 'spoof', -2, 3),
        outcome('e', 'spoof', -1, 0),
        outcome('f', 'spoof', -1, -0.5, 'pad'),
        outcome('g', 'spoof', 1, 2, 'pad'),
        { ...outcome('h', 'spoof', -3, -4, 'pad'), linf: 1 / 255, l2: 0 },
      ],
      0,
    );
    expect(report).toMatchObject({
      id: 'depth.sfa.pgd-5.linf-2_255',
      facet: 'depth',
      objective: 'sfa',
      search: 'pgd-5',
      norm: 'linf',
      epsilon: 2 / 255,
      samples: 8,
      attempted: 6,
      succeeded: 3,
      attackSuccessRate: 0.5,
      directions: {
        liveAsSpoof: { attempted: 2, succeeded: 1, rate: 0.5 },
        spoofAsLive: { attempted: 4, succeeded: 2, rate: 0.5 },
      },
      bySpecies: {
        pad: { attempted: 2, succeeded: 0, rate: 0 },
        phone: { attempted: 2, succeeded: 2, rate: 1 },
      },
      // At the worse score of each sample: both phones pass, one of three pads; two of three live ones are locked out.
      robustApcer: 1,
      robustBpcer: 2 / 3,
      maxLinf: 2 / 255,
    });
    expect(report.meanL2).toBeCloseTo(7 / 8 / 255, 12);
    // Wilson's 95 % interval of 3 in 6.
    expect(report.interval![0]).toBeCloseTo(0.18761, 4);
    expect(report.interval![1]).toBeCloseTo(0.81239, 4);
  });

  it('has no rate where nothing was decided rightly', () => {
    const report = judgeCell(cell, [outcome('a', 'live', -1, -1)], 0);
    expect(report).toMatchObject({ attempted: 0, succeeded: 0, attackSuccessRate: null, interval: null });
    expect(report.robustApcer).toBeNull();
  });
});

describe('judgeClean', () => {
  const score = (split: 'dev' | 'test', label: 'live' | 'spoof', value: number, species: string) => ({
    key: `${split}-${value}`,
    split,
    label,
    species,
    illumination: null,
    attributes: null,
    subject: null,
    score: value,
  });

  it('judges the test split alone, at the frozen threshold', () => {
    const scores = [
      score('dev', 'live', -9, 'live'),
      score('test', 'live', 2, 'live'),
      score('test', 'live', 0.5, 'live'),
      score('test', 'spoof', 0, 'phone'),
      score('test', 'spoof', 1, 'pad'),
    ];
    expect(judgeClean(featuresOf([], [], 1).summary, scores)).toMatchObject({
      split: 'test',
      samples: 4,
      live: 2,
      spoof: 2,
      threshold: 1,
      thresholdSource: 'dev-eer',
      accuracy: 0.5,
      bpcer: 0.5,
      apcer: 1,
      apcerBySpecies: { pad: { samples: 1, apcer: 1 }, phone: { samples: 1, apcer: 0 } },
      auc: 0.75,
    });
  });

  it('needs test samples', () => {
    expect(() => judgeClean(featuresOf([], []).summary, [])).toThrow('dataset: has no test samples');
  });
});

describe('curvesOf', () => {
  it('gathers epsilons in order, with the area under them', () => {
    const [curve, ...others] = curvesOf([
      cellReport('depth', 'facet', 0.8, { threat: linf(4) }),
      cellReport('depth', 'facet', 0.4, { threat: linf(2) }),
      cellReport('depth', 'facet', null, { threat: linf(1) }),
    ]);
    expect(others).toEqual([]);
    expect(curve.points.map(({ attackSuccessRate }) => attackSuccessRate)).toEqual([null, 0.4, 0.8]);
    // Trapezoids over epsilon 0, 2, 4 of rates 0, 0.4, 0.8.
    expect(curve.areaUnderSuccess).toBeCloseTo((0.4 + 1.2) / 4, 12);
    expect(curvesOf([cellReport('depth', 'facet', null)])[0].areaUnderSuccess).toBeNull();
  });

  it('keeps norms, searches, objectives and facets apart', () => {
    const cells = [
      cellReport('depth', 'facet', 0.1),
      cellReport('depth', 'facet', 0.1, { threat: l2(2) }),
      cellReport('depth', 'facet', 0.1, { search: 'pgd-5' }),
      cellReport('depth', 'sfa', 0.1),
      cellReport('hair', 'facet', 0.1),
    ];
    expect(curvesOf(cells)).toHaveLength(5);
  });
});

describe('gainsOf', () => {
  it('compares the facets for which both objectives have a figure, and only those', () => {
    const gains = gainsOf([
      cellReport('depth', 'facet', 0.25),
      cellReport('reflection', 'facet', 0.5),
      cellReport('attributes', 'facet', 1),
      cellReport('depth', 'sfa', 0.75),
      cellReport('reflection', 'sfa', 1),
      cellReport('illumination', 'sfa', 0),
      cellReport('attributes', 'sfa', null),
      cellReport('depth', 'control', 0),
      cellReport('reflection', 'control', 0.5),
      cellReport('live', 'direct', 1),
      cellReport('own-tensor', 'facet', 1),
      cellReport('own-tensor', 'sfa', 0),
    ]);
    expect(gains).toEqual([
      { search: 'fgsm', norm: 'linf', epsilon: 2 / 255, facet: 0.375, sfa: 0.875, control: 0.25, gain: 0.5 },
    ]);
  });

  it('has no gain where as many facets ran, but others', () => {
    const [gain] = gainsOf([
      cellReport('depth', 'facet', 0.25),
      cellReport('reflection', 'sfa', 0.75),
      cellReport('reflection', 'control', 0.5),
    ]);
    expect(gain).toMatchObject({ facet: 0.25, sfa: 0.75, control: 0.5, gain: null });
  });

  it('has no control where that ran on fewer facets', () => {
    const [gain] = gainsOf([
      ...['depth', 'reflection'].flatMap((facet) => [
        cellReport(facet, 'facet', 0.25),
        cellReport(facet, 'sfa', 0.5),
      ]),
      cellReport('depth', 'control', 0),
    ]);
    expect(gain).toMatchObject({ gain: 0.25, control: null });
  });

  it('keeps budgets apart', () => {
    const gains = gainsOf([
      cellReport('depth', 'facet', 0.25),
      cellReport('depth', 'sfa', 0.5, { threat: linf(1) }),
    ]);
    expect(gains.map(({ facet, sfa, gain }) => [facet, sfa, gain])).toEqual([
      [0.25, null, null],
      [null, 0.5, null],
    ]);
  });
});

describe('ranksOf', () => {
  const plan = planOf([groupOf({ searches: [FGSM, PGD], threats: [linf(1), linf(2), l2(1)] })]);
  const facets = ['attributes', 'depth', 'reflection'];
  const ranked = (...args: Parameters<typeof cellReport>[]): Record<string, number> =>
    Object.fromEntries(ranksOf(plan, curvesOf(args.map((one) => cellReport(...one))), facets));
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
});
