import { type Change, type CleanReport, type Comparison, Policy } from '@facet/contracts';
import { describe, expect, it } from 'vitest';
import { cellReport, l2, linf } from './cells.fixture.js';
import { type Judged, judgeBy } from './policy.js';

const clean = { acer: 0.05, auc: 0.99, accuracy: 0.95 } as CleanReport;
const cells = [
  cellReport('live', 'direct', 0.9, { threat: linf(2) }),
  cellReport('live', 'direct', 0.4, { threat: linf(1) }),
  cellReport('depth', 'sfa', 0.7, { search: 'pgd-5', threat: l2(2) }),
  cellReport('depth', 'facet', null),
];
const policy = (changes: object): Policy =>
  Policy.parse({ schema: 'facet.policy/v1', name: 'release', ...changes });
const judged: Judged = { clean, cells, baseline: null, failed: [] };
const verdictOf = (given: Policy | undefined, of: Partial<Judged> = {}) =>
  judgeBy(given, { ...judged, ...of }).verdict;
const checks = (changes: object, of: Partial<Judged> = {}) => verdictOf(policy(changes), of).checks;

describe('judgeBy', () => {
  it('holds nothing of a cell that could not be attacked, and everything of the others', () => {
    const { id, facet, objective, search, norm, epsilon } = cellReport('depth', 'sfa', null, {
      search: 'pgd-5',
      threat: l2(4),
    });
    const failed = [{ id, facet, objective, search, norm, epsilon, shards: 1, reason: 'died' }];
    const rules = { attacks: [{ facet: 'depth', objective: 'sfa', maxAttackSuccessRate: 1 }] };
    expect(checks(rules, { failed })).toMatchObject([{ actual: null, passed: false }]);
    expect(checks(rules)).toMatchObject([{ actual: 0.7, passed: true }]);
    const others = { attacks: [{ facet: 'live', maxAttackSuccessRate: 1 }] };
    expect(checks(others, { failed })).toMatchObject([{ actual: 0.9, passed: true }]);
  });

  it('passes without a policy, and with one that demands nothing', () => {
    expect(verdictOf(undefined)).toEqual({ policy: null, passed: true, checks: [] });
    expect(verdictOf(policy({}))).toEqual({ policy: 'release', passed: true, checks: [] });
  });

  it('says of each check which way it goes, what was found and what is allowed', () => {
    expect(checks({ clean: { maxAcer: 0.05, minAuc: 0.995, minAccuracy: 0.9 } })).toEqual([
      { name: 'clean ACER at most', actual: 0.05, limit: 0.05, passed: true },
      { name: 'clean AUC at least', actual: 0.99, limit: 0.995, passed: false },
      { name: 'clean accuracy at least', actual: 0.95, limit: 0.9, passed: true },
    ]);
  });

  it.each<[object, string, number | null]>([
    [{}, 'attack success at most, all cells', 0.9],
    [{ objective: 'direct' }, 'attack success at most, direct', 0.9],
    [{ objective: 'direct', maxEpsilon: '1/255' }, 'attack success at most, direct, epsilon <= 1/255', 0.4],
    [{ facet: 'depth', search: 'pgd-5', norm: 'l2' }, 'attack success at most, depth, pgd-5, l2', 0.7],
    [{ facet: 'depth', objective: 'facet' }, 'attack success at most, depth, facet', null],
    [{ facet: 'hair' }, 'attack success at most, hair', null],
  ])('takes the largest success of the cells that a rule speaks about: %o', (rule, name, actual) => {
    const [check] = checks({ attacks: [{ ...rule, maxAttackSuccessRate: 0.5 }] });
    expect(check).toEqual({ name, actual, limit: 0.5, passed: actual !== null && actual <= 0.5 });
  });

  it('fails by any rule that fails: also one that meets no cell, or asks for what is undefined', () => {
    const met = { objective: 'direct', maxAttackSuccessRate: 1 };
    expect(verdictOf(policy({ attacks: [met] })).passed).toBe(true);
    const unmet = { facet: 'hair', maxAttackSuccessRate: 1 };
    expect(verdictOf(policy({ attacks: [met, unmet] })).passed).toBe(false);
    const none = { ...clean, acer: null };
    expect(verdictOf(policy({ clean: { maxAcer: 1 } }), { clean: none }).passed).toBe(false);
  });

  const change = (delta: number | null): Change => ({
    baseline: 0.5,
    current: 0.5,
    delta,
    interval: null,
    change: 'unknown',
  });
  const baseline: Comparison = {
    model: { name: 'net', version: '1', sha256: 'a'.repeat(64) },
    evaluation: 'before',
    samples: 10,
    clean: { accuracy: change(0), auc: change(-0.03) },
    cells: cells.map(({ id, facet, objective, search, norm, epsilon }, i) => ({
      ...{ id, facet, objective, search, norm, epsilon },
      attackSuccessRate: change([0.02, 0.08, -0.1, null][i]),
      robustAuc: change(null),
    })),
  };

  it.each<[object, string, number | null, boolean]>([
    [{ clean: { maxRegression: 0.02 } }, 'clean AUC falls at most, against net@1', 0.03, false],
    [
      { attacks: [{ objective: 'direct', maxRegression: 0.08 }] },
      'attack success rises at most, against net@1, direct',
      0.08,
      true,
    ],
    [{ attacks: [{ objective: 'facet', maxRegression: 1 }] }, 'against net@1, facet', null, false],
  ])('holds regressions against the baseline to %o', (limits, name, actual, passed) => {
    const [check] = checks(limits, { baseline });
    expect(check).toMatchObject({ name: expect.stringContaining(name), actual, passed });
  });

  it('says that limits on regression were not applied where there is nothing to compare with', () => {
    const limits = policy({ attacks: [{ maxRegression: 0.05 }] });
    const { verdict, notes } = judgeBy(limits, judged);
    expect(verdict.checks).toEqual([]);
    expect(notes).toEqual([expect.stringContaining('no baseline')]);
    expect(judgeBy(limits, { ...judged, baseline }).notes).toEqual([]);
  });
});
