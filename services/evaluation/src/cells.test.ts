import { TEXTURE_PRIOR } from '@facet/catalog';
import { OBJECTIVES } from '@facet/contracts';
import { InputError } from '@facet/runtime';
import { describe, expect, it } from 'vitest';
import { featuresOf, FGSM, groupOf, l2, linf, PGD, planOf } from './cells.fixture.js';
import { cellsOf } from './cells.js';

const features = featuresOf(['depth', 'plain'], ['depth', TEXTURE_PRIOR]);
const idsOf = (...args: Parameters<typeof cellsOf>): string[] => cellsOf(...args).map(({ id }) => id);

describe('cellsOf', () => {
  it('makes every combination that the model offers and the data allows, in the order of the plan, but a step that cannot move', () => {
    const plan = planOf([groupOf({ objectives: [...OBJECTIVES], searches: [FGSM, PGD] })]);
    expect(idsOf(plan, features)).toEqual([
      'live.direct.fgsm.linf-2_255',
      'live.direct.pgd-5.linf-2_255',
      'depth.facet.fgsm.linf-2_255',
      'depth.facet.pgd-5.linf-2_255',
      'plain.facet.pgd-5.linf-2_255',
      'depth.sfa.fgsm.linf-2_255',
      'depth.sfa.pgd-5.linf-2_255',
      'depth.prior-only.fgsm.linf-2_255',
      'depth.prior-only.pgd-5.linf-2_255',
      'depth.control.fgsm.linf-2_255',
      'depth.control.pgd-5.linf-2_255',
      'live.all-facets.fgsm.linf-2_255',
      'live.all-facets.pgd-5.linf-2_255',
    ]);
  });

  it('leaves out what would follow a gradient that there is not', () => {
    const searches = [{ name: 'auto' }, PGD] as const;
    const plan = planOf([groupOf({ objectives: [...OBJECTIVES], searches: [...searches] })]);
    const without = (facet: string) => ({
      ...features,
      summary: { ...features.summary, withoutGradient: { [facet]: "node 'a' (TopK)" } },
    });
    const all = idsOf(plan, features);
    expect(idsOf(plan, without('live'))).toEqual(all.filter((id) => id !== 'live.direct.pgd-5.linf-2_255'));
    expect(idsOf(plan, without('depth'))).toEqual(all.filter((id) => !/depth|all-facets/.test(id)));
  });

  it('leaves searches that ask for scores, and losses of the decision, to the decision', () => {
    const searches = [
      { name: 'auto' },
      { name: 'square', queries: 9 },
      { name: 'pgd', steps: 5, restarts: 1, loss: 'cross-entropy' },
    ] as const;
    const plan = planOf([groupOf({ objectives: [...OBJECTIVES], searches: [...searches] })]);
    expect(idsOf(plan, features)).toEqual([
      'live.direct.auto.linf-2_255',
      'live.direct.square-9.linf-2_255',
      'live.direct.pgd-5-ce.linf-2_255',
    ]);
  });

  it('leaves out what needs a texture prior where there is none', () => {
    const plan = planOf([groupOf({ facets: ['depth'], objectives: [...OBJECTIVES] })]);
    const without = featuresOf(['depth'], ['depth']);
    expect(idsOf(plan, without)).toEqual(['depth.facet.fgsm.linf-2_255', 'depth.prior-only.fgsm.linf-2_255']);
  });

  it('takes no inherited name of an object for a prior', () => {
    const plan = planOf([groupOf({ facets: ['constructor'], objectives: ['sfa', 'prior-only'] })]);
    const make = () => cellsOf(plan, featuresOf(['constructor'], [TEXTURE_PRIOR]));
    expect(make).toThrow(new InputError('no facet offers what the plan asks for', { field: 'attacks' }));
  });

  it('makes each cell once, though several groups ask for it', () => {
    const plan = planOf([
      groupOf({ facets: ['depth'], threats: [linf(1), l2(1)] }),
      groupOf({ facets: ['depth'], threats: [linf(1), linf(4)] }),
    ]);
    const ids = idsOf(plan, features);
    expect(ids).toHaveLength(6);
    expect(new Set(ids).size).toBe(6);
  });

  it('names the place of a facet that the model does not have', () => {
    const plan = planOf([groupOf({ facets: ['depth', 'hair'] })]);
    const make = () => cellsOf(plan, features);
    expect(make).toThrow(InputError);
    expect(make).toThrow('attacks[0].facets[1]: the model has no facet "hair"; it has live, depth, plain');
  });

  it('refuses a plan that explodes, before it makes it', () => {
    const threats = Array.from({ length: 40_000 }, (_, i) => ({
      norm: 'linf' as const,
      epsilon: (i + 1) / 50_000,
    }));
    const plan = {
      ...planOf([groupOf()]),
      attacks: [groupOf({ facets: ['depth'], objectives: ['facet'], threats })],
    };
    expect(cellsOf(plan, features)).toHaveLength(40_000);
    plan.attacks.push(groupOf({ threats, objectives: ['facet', 'sfa'] }));
    expect(() => cellsOf(plan, features)).toThrow('attacks[1]: makes more than 100000 cells');
  });
});
