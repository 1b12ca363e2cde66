import { DECISION_FACET, EvaluationPlan } from '@facet/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkPlan, planCost } from './cost.js';

const KNOWN = [DECISION_FACET, 'depth', 'hair'];
const group = {
  objectives: ['direct', 'facet', 'sfa'],
  searches: [{ name: 'fgsm' }, { name: 'pgd', steps: 10, restarts: 3 }],
  threats: [
    { norm: 'linf', epsilon: 0.1 },
    { norm: 'l2', epsilon: 0.1 },
  ],
};
const planOf = (changes: object = {}, ...groups: object[]): EvaluationPlan =>
  EvaluationPlan.parse({
    schema: 'facet.plan/v1',
    name: 'p',
    samples: 10,
    batch: 2,
    shard: 2,
    attacks: groups.length === 0 ? [group] : groups.map((one) => ({ ...group, ...one })),
    ...changes,
  });

describe('planCost', () => {
  it('counts the combinations that make sense, and the steps of every restart', () => {
    // direct on the decision, facet and sfa on two facets: 5; times 2 searches and 2 threats.
    expect(planCost(planOf(), KNOWN)).toEqual({ cells: 20, passesPerImage: 5 * (1 + 30) * 2 });
  });

  it('counts the attack on all facets as one of the decision, and every copy, query and halving', () => {
    const searches = [
      { name: 'minimal-epsilon', rounds: 3 },
      { name: 'mi-fgsm', si: 5 },
      { name: 'square', queries: 7 },
    ];
    const cost = planCost(planOf({}, { objectives: ['all-facets'], searches }), KNOWN);
    expect(cost).toEqual({ cells: 3 * 2, passesPerImage: (40 + 50 + 7) * 2 });
  });

  it('adds up over groups', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), (n) => {
        const groups = Array.from({ length: n }, () => ({}));
        expect(planCost(planOf({}, ...groups), KNOWN).cells).toBe(20 * n);
      }),
      { numRuns: 10 },
    );
  });
});

describe('checkPlan', () => {
  it('names a facet that the model does not have', () => {
    const plan = planOf({}, { facets: ['depth', 'har'] });
    expect(() => {
      checkPlan(plan, KNOWN);
    }).toThrow('attacks[0].facets[1]: the model has no facet "har"; it has live, depth, hair');
  });

  it('refuses a billion cells without making one', () => {
    const many = <T>(value: T): T[] => Array.from({ length: 1000 }, () => value);
    const plan = planOf(
      {},
      { facets: many('depth'), searches: many(group.searches[0]), threats: many(group.threats[0]) },
    );
    expect(() => {
      checkPlan(plan, KNOWN);
    }).toThrow('attacks[0]: makes more than 100000 cells');
  });

  it.each([
    [{ cells: 19 }, 'budget.cells: is 19, but the plan has up to 20'],
    [
      { passes: 3099 },
      'budget.passes: is 3099, but 20 cells of 10 images may take 3100; with "samples" at 9',
    ],
    [{ passes: 300 }, 'not even one sample per cell would fit'],
  ])('holds the plan to its budget %j', (budget, says) => {
    expect(() => {
      checkPlan(planOf({ budget }), KNOWN);
    }).toThrow(says);
  });

  it('lets a plan that fits pass', () => {
    checkPlan(planOf({ budget: { cells: 20, passes: 3100 } }), KNOWN);
  });
});
