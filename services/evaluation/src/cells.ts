/** From a plan to its cells: every combination that the model offers and the data allows. */
import { makeCell, type StoredFeatures, TEXTURE_PRIOR } from '@facet/catalog';
import {
  type AttackGroup,
  type Cell,
  DECISION_FACET,
  type EvaluationPlan,
  MAX_CELLS,
  type ObjectiveName,
} from '@facet/contracts';
import { InputError } from '@facet/runtime';

/** Whether a facet can be attacked by an objective: see `offers` in the adversary, which says it of opened models. */
function offered(features: StoredFeatures, facet: string, objective: ObjectiveName): boolean {
  const decision = facet === DECISION_FACET;
  switch (objective) {
    case 'direct':
      return decision;
    case 'facet':
      return !decision;
    case 'prior-only':
      return facet in features.priors;
    case 'sfa':
      return facet in features.priors && TEXTURE_PRIOR in features.priors;
    case 'control':
      return facet in features.controls && TEXTURE_PRIOR in features.controls;
  }
}

function facetsOf(group: AttackGroup, known: readonly string[], path: string): readonly string[] {
  if (group.facets === 'all') return known;
  group.facets.forEach((facet, i) => {
    if (!known.includes(facet))
      throw new InputError(`the model has no facet "${facet}"; it has ${known.join(', ')}`, {
        field: `${path}.facets[${i}]`,
      });
  });
  return group.facets;
}

/**
 * Cells in the plan's order, each once.
 * Errors: InputError naming the plan's field: an unknown facet, or more than {@link MAX_CELLS} cells.
 */
export function cellsOf(plan: EvaluationPlan, features: StoredFeatures): Cell[] {
  const known = [DECISION_FACET, ...features.summary.facets.map(({ facet }) => facet)];
  const cells = new Map<string, Cell>();
  plan.attacks.forEach((group, i) => {
    const path = `attacks[${i}]`;
    const facets = facetsOf(group, known, path);
    const size = facets.length * group.objectives.length * group.searches.length * group.threats.length;
    if (cells.size + size > MAX_CELLS)
      throw new InputError(`makes more than ${MAX_CELLS} cells`, { field: path });
    for (const objective of group.objectives)
      for (const facet of facets)
        for (const search of group.searches)
          for (const threat of group.threats) {
            if (!offered(features, facet, objective)) continue;
            const cell = makeCell({ facet, objective, search, threat });
            cells.set(cell.id, cell);
          }
  });
  return [...cells.values()];
}
