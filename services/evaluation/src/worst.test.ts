import { makeCell, type PlannedEvaluation } from '@facet/catalog';
import type { Cell, Outcome } from '@facet/contracts';
import { describe, expect, it } from 'vitest';
import { FGSM, groupOf, linf, outcome, planOf } from './cells.fixture.js';
import { worstCases, worstSample } from './worst.js';

const cellAt = (levels: number, facet = 'depth', objective: Cell['objective'] = 'sfa'): Cell =>
  makeCell({ facet, objective, search: FGSM, threat: linf(levels) });
const plannedOf = (cells: Cell[]): PlannedEvaluation => ({
  schema: 'facet.planned/v1',
  evaluation: 'e',
  model: { name: 'm', version: '1' },
  dataset: { name: 'd', version: '1' },
  plan: planOf([groupOf()], { shard: 2 }),
  features: 'f',
  cells,
  shards: 2,
});
const casesOf = (given: readonly (readonly [Cell, Outcome[]])[]) =>
  worstCases(
    plannedOf(given.map(([cell]) => cell)),
    new Map(
      given.flatMap(([cell, outcomes]) => {
        const worst = worstSample(outcomes, 0);
        return worst === undefined ? [] : [[cell.id, worst] as const];
      }),
    ),
  );
const safe = outcome('safe', 'live', 1, 0.5);
const lockedOut = outcome('locked-out', 'live', 1, -9);
const passes = outcome('passes', 'spoof', -1, 0.1);
const passesClearly = outcome('passes-clearly', 'spoof', -1, 4);
const wrongBefore = outcome('wrong-before', 'spoof', 5, 9);

describe('worstCases', () => {
  it('takes the smallest epsilon at which any sample fell, in whatever order the plan has them', () => {
    const cases = casesOf([
      [cellAt(4), [passesClearly]],
      [cellAt(1), [safe]],
      [cellAt(2), [safe, passes]],
    ]);
    expect(cases).toEqual([
      {
        cell: cellAt(2).id,
        shard: 0,
        key: 'passes',
        label: 'spoof',
        species: 'phone',
        epsilon: 2 / 255,
        cleanScore: -1,
        adversarialScore: 0.1,
      },
    ]);
  });

  it('prefers spoofs that pass, then the clearest, and skips what was wrong before', () => {
    const [found] = casesOf([[cellAt(2), [wrongBefore, lockedOut, passes, passesClearly]]]);
    expect(found).toMatchObject({ key: 'passes-clearly', shard: 1 });
    expect(casesOf([[cellAt(2), [safe, lockedOut, wrongBefore]]])[0].key).toBe('locked-out');
    expect(casesOf([[cellAt(2), [safe, wrongBefore]]])).toEqual([]);
  });

  it('has one case per facet and objective, in the order of the plan, controls left out, and at most twelve', () => {
    const cells = [
      cellAt(2, 'reflection'),
      cellAt(1, 'depth'),
      cellAt(2, 'depth', 'control'),
      cellAt(2, 'depth', 'facet'),
    ];
    expect(
      casesOf(cells.map((cell) => [cell, [passes]] as [Cell, Outcome[]])).map(({ cell }) => cell),
    ).toEqual([cells[0].id, cells[1].id, cells[3].id]);
    const many = Array.from(
      { length: 20 },
      (_, i) => [cellAt(2, `facet-${i}`), [passes]] as [Cell, Outcome[]],
    );
    expect(casesOf(many)).toHaveLength(12);
  });
});
