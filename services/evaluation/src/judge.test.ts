import { makeCell } from '@facet/catalog';
import { ATTRIBUTES, type CleanScore } from '@facet/contracts';
import { describe, expect, it } from 'vitest';
import { featuresOf, linf, outcome, PGD } from './cells.fixture.js';
import { judgeCell, judgeClean, type Known } from './judge.js';

const scoreOf = (
  split: 'dev' | 'test',
  label: 'live' | 'spoof',
  score: number,
  species: string | null,
  attributes: string | null = null,
): CleanScore => ({
  key: `${split}-${score}`,
  split,
  label,
  species,
  illumination: null,
  attributes,
  subject: null,
  score,
});
const known: Known = new Map();

describe('judgeCell', () => {
  const cell = makeCell({ facet: 'depth', objective: 'sfa', search: PGD, threat: linf(2) });

  it('counts success among what was decided rightly, by direction and species', () => {
    const { report, bits, worstScores } = judgeCell(
      cell,
      [
        outcome('a', 'live', 2, 1),
        outcome('b', 'live', 1, -1),
        outcome('c', 'live', -1, -2),
        outcome('d', 'spoof', -2, 3),
        outcome('e', 'spoof', -1, 0),
        outcome('f', 'spoof', -1, -0.5, 'pad'),
        outcome('g', 'spoof', 1, 2, 'pad'),
        { ...outcome('h', 'spoof', -3, -4, 'pad'), illumination: 'dark', linf: 1 / 255, l2: 0 },
      ],
      0,
      0.75,
      known,
    );
    expect([...bits.attempted]).toEqual([1, 1, 0, 1, 1, 1, 0, 1]);
    expect([...bits.fooled]).toEqual([0, 1, 0, 1, 1, 0, 0, 0]);
    expect([...worstScores]).toEqual([1, -1, -2, 3, 0, -0.5, 2, -3]);
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
      byIllumination: { dark: { attempted: 1, succeeded: 0, rate: 0 } },
      byAttribute: {},
      // At the higher threshold live b was right and falls, spoof d passes and e does not.
      calibrated: { attackSuccessRate: 2 / 6, robustBpcer: 2 / 3 },
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

  it('compares people with an attribute and without, where enough of both were decided rightly', () => {
    const outcomes = Array.from({ length: 60 }, (_, i) => outcome(`k${i}`, 'live', 1, i % 4 === 0 ? -1 : 1));
    const bits = (i: number): string => `${i % 2 ? 0 : 1}${i < 10 ? 1 : 0}`.padEnd(40, '0');
    const labelled: Known = new Map(
      outcomes.map(({ key }, i) => [key, scoreOf('test', 'live', 1, null, bits(i))]),
    );
    const { report } = judgeCell(cell, outcomes, 0, null, labelled);
    expect(report.byAttribute).toEqual({
      [ATTRIBUTES[0]]: {
        present: { attempted: 30, succeeded: 15, rate: 0.5 },
        absent: { attempted: 30, succeeded: 0, rate: 0 },
      },
    });
  });

  it('has no rate where nothing was decided rightly', () => {
    const { report } = judgeCell(cell, [outcome('a', 'live', -1, -1)], 0, null, known);
    expect(report.calibrated).toBeNull();
    expect(report).toMatchObject({ attempted: 0, succeeded: 0, attackSuccessRate: null, interval: null });
    expect(report.robustApcer).toBeNull();
  });
});

describe('judgeClean', () => {
  it('judges the test split alone, at the frozen threshold', () => {
    const scores = [
      scoreOf('dev', 'live', -9, 'live'),
      scoreOf('test', 'live', 2, 'live'),
      scoreOf('test', 'live', 0.5, 'live'),
      scoreOf('test', 'spoof', 0, 'phone'),
      scoreOf('test', 'spoof', 1, 'pad'),
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

  it('calibrates on dev where that has both classes, else on the test split', () => {
    const test = [scoreOf('test', 'live', 5, null), scoreOf('test', 'spoof', 1, 'pad')];
    const of = (...dev: CleanScore[]) =>
      judgeClean(featuresOf([], [], 9).summary, [...dev, ...test]).calibrated;
    expect(of(scoreOf('dev', 'live', 4, null), scoreOf('dev', 'spoof', 0, 'pad'))).toEqual({
      threshold: 2,
      split: 'dev',
      accuracy: 1,
      apcer: 0,
      bpcer: 0,
    });
    expect(of(scoreOf('dev', 'live', 4, null))).toMatchObject({ threshold: 3, split: 'test' });
  });

  it('needs test samples', () => {
    expect(() => judgeClean(featuresOf([], []).summary, [])).toThrow('dataset: has no test samples');
  });
});
