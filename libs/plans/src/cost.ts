/**
 * What a plan asks for, counted from its lists' lengths alone: a plan of a billion cells is refused before anything is
 * made of it.
 */
import {
  type AttackGroup,
  concernsDecision,
  DECISION_FACET,
  type EvaluationPlan,
  MAX_CELLS,
  type ObjectiveName,
  passesOf,
} from '@facet/contracts';
import { InputError } from '@facet/runtime';

export interface PlanCost {
  /** Cells at most; what a facet does not offer will be left out. */
  readonly cells: number;
  /** Passes through the model for one image over all cells, in the worst case: no sample falls early. */
  readonly passesPerImage: number;
}

/** Facets of a group that an objective can be about: the decision, or one of the others. */
const facetsFor = (group: AttackGroup, known: readonly string[], objective: ObjectiveName): number =>
  (group.facets === 'all' ? known : group.facets).filter(
    (facet) => (facet === DECISION_FACET) === concernsDecision(objective),
  ).length;

/** The cost of a plan for a model with the facets `known`, the decision among them. */
export function planCost({ attacks }: EvaluationPlan, known: readonly string[]): PlanCost {
  let [cells, passesPerImage] = [0, 0];
  for (const group of attacks) {
    const targets = group.objectives.reduce((sum, objective) => sum + facetsFor(group, known, objective), 0);
    const passes = group.searches.reduce((sum, search) => sum + passesOf(search), 0);
    cells += targets * group.searches.length * group.threats.length;
    passesPerImage += targets * passes * group.threats.length;
  }
  return { cells, passesPerImage };
}

/**
 * Whether a plan fits a model with the facets `known`, the decision among them, and its own budget.
 * Errors: InputError naming the plan's field: an unknown facet, more than {@link MAX_CELLS} cells, or more than the
 * budget allows.
 */
export function checkPlan(plan: EvaluationPlan, known: readonly string[]): void {
  let asked = 0;
  plan.attacks.forEach(({ facets, objectives, searches, threats }, i) => {
    if (facets !== 'all')
      facets.forEach((facet, j) => {
        if (known.includes(facet)) return;
        throw new InputError(`the model has no facet "${facet}"; it has ${known.join(', ')}`, {
          field: `attacks[${i}].facets[${j}]`,
        });
      });
    const targets = facets === 'all' ? known.length : facets.length;
    asked += targets * objectives.length * searches.length * threats.length;
    if (asked > MAX_CELLS)
      throw new InputError(`makes more than ${MAX_CELLS} cells`, { field: `attacks[${i}]` });
  });
  checkBudget(plan, planCost(plan, known));
}

function checkBudget({ budget, samples }: EvaluationPlan, { cells, passesPerImage }: PlanCost): void {
  if (budget?.cells !== undefined && cells > budget.cells)
    throw new InputError(`is ${budget.cells}, but the plan has up to ${cells}`, { field: 'budget.cells' });
  if (budget?.passes !== undefined && passesPerImage * samples > budget.passes) {
    const fitting = Math.floor(budget.passes / passesPerImage);
    const way =
      fitting > 0 ? `with "samples" at ${fitting} it would fit` : 'not even one sample per cell would fit';
    throw new InputError(
      `is ${budget.passes}, but ${cells} cells of ${samples} images may take ${passesPerImage * samples}; ${way}`,
      { field: 'budget.passes' },
    );
  }
}
