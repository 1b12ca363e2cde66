import type { CellReport, CleanScore } from '@facet/contracts';
import { expect, it } from 'vitest';
import { defendedFigures } from './defended.js';

const score = (value: number, species: string | null): CleanScore => ({
  key: `${value}`,
  split: 'test',
  label: species === null ? 'live' : 'spoof',
  species,
  illumination: null,
  attributes: null,
  subject: null,
  score: value,
});
const cell = (facet: string, objective: string, epsilon: number, success: number | null): CellReport =>
  ({
    facet,
    objective,
    epsilon,
    robustAuc: success === null ? null : 1 - success,
    calibrated: success === null ? null : { attackSuccessRate: success },
  }) as unknown as CellReport;

it('tells species that were trained on from unseen ones, and epsilons in their order', () => {
  const clean = [score(3, null), score(1, null), score(0, 'print'), score(2, 'pad')];
  const cells = [
    cell('live', 'direct', 0.02, 0.8),
    cell('live', 'direct', 0.01, 0.4),
    cell('depth', 'sfa', 0.01, 0.1),
    cell('depth', 'sfa', 0.02, 0.6),
    cell('spoof-type', 'sfa', 0.02, 0.2),
    cell('spoof-type', 'facet', 0.02, 0.9),
  ];
  const figures = defendedFigures({ cells }, { clean, shifted: clean.slice(0, 3) }, ['pad']);
  expect(figures).toMatchObject({
    clean: 1,
    shifted: 1,
    unseen: 0.5,
    attacked: [
      { epsilon: 0.01, auc: 0.6, success: 0.4 },
      { epsilon: 0.02, auc: expect.closeTo(0.2), success: 0.8 },
    ],
  });
  expect(figures.sfa).toBeCloseTo(0.4);
});

it('has no figure for what was not attacked', () => {
  const clean = [score(1, null), score(0, 'print')];
  expect(
    defendedFigures({ cells: [cell('live', 'direct', 0.01, null)] }, { clean, shifted: [] }, []),
  ).toEqual({
    clean: 1,
    shifted: null,
    unseen: null,
    attacked: [{ epsilon: 0.01, auc: null, success: null }],
    sfa: null,
  });
});
