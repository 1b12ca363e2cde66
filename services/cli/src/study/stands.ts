/** On which faces a study's networks stand the test, and by which plan. */
import type { EvaluationPlan, Study } from '@facet/contracts';
import { InputError } from '@facet/runtime';
import { type ChosenDataset, shiftedFrom } from '../training/data.js';
import { datasetOf } from './networks.js';

export interface Stand {
  readonly name: string;
  readonly data: Required<ChosenDataset>;
  readonly plan: EvaluationPlan;
}

/** Only the attack on the decision: under another camera nothing is fitted. Errors: InputError where there is none. */
function directPlan(plan: EvaluationPlan): EvaluationPlan {
  const attacks = plan.attacks.flatMap((group) => {
    const objectives = group.objectives.filter((objective) => objective === 'direct');
    return objectives.length === 0 ? [] : [{ ...group, objectives }];
  });
  if (attacks.length === 0)
    throw new InputError('holds no direct attack, by which defences are compared', { field: 'plan.attacks' });
  return { ...plan, attacks };
}

/** The study's own faces, on which it trains; where it compares defences, others under another camera, too. */
export function standsOf(study: Study): [Stand, ...Stand[]] {
  const { dataset: faces, plan, defences } = study;
  const source = {
    kind: 'synthetic' as const,
    ...faces,
    variant: 'standard' as const,
    heldOut: faces.heldOut ?? [],
  };
  const data = { dataset: datasetOf(study), source };
  const own = { name: 'study', data, plan };
  if (defences === undefined) return [own];
  return [own, { name: 'study-shifted', data: shiftedFrom(data), plan: directPlan(plan) }];
}
