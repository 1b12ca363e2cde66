/** From a plan to its cells: every combination that the model offers and the data allows. */
import { offers, pursues, startsClean } from '@facet/adversary';
import { fittedTo, makeCell, type StoredFeatures, TEXTURE_PRIOR } from '@facet/catalog';
import {
  type AttackGroup,
  type Cell,
  DECISION_FACET,
  type EvaluationPlan,
  type FacetSource,
  needsGradient,
  type ObjectiveName,
  type SearchConfig,
} from '@facet/contracts';
import { checkPlan } from '@facet/plans';
import { InputError } from '@facet/runtime';

const facetsOf = ({ facets }: AttackGroup, known: readonly string[]): readonly string[] =>
  facets === 'all' ? known : facets;

/**
 * Whether a search cannot move at all: the distance from the clean feature has no slope at the clean image, where a
 * search without a random start would stay.
 */
const stuck = (source: FacetSource | undefined, objective: ObjectiveName, search: SearchConfig): boolean =>
  source === 'tensor' && objective === 'facet' && startsClean(search);

/** Whether there is a gradient for what an objective asks of a facet: of every facet that has a prior, or of one. */
function differentiable(
  { summary, priors }: StoredFeatures,
  facet: string,
  objective: ObjectiveName,
): boolean {
  const asked = objective === 'all-facets' ? Object.keys(priors) : [facet];
  return !asked.some((one) => Object.hasOwn(summary.withoutGradient ?? {}, one));
}

/**
 * Cells in the plan's order, each once; what a facet does not offer, or a search cannot do, is left out.
 * Errors: InputError as of {@link checkPlan}, and where nothing is left.
 */
export function cellsOf(plan: EvaluationPlan, features: StoredFeatures): Cell[] {
  const known = [DECISION_FACET, ...features.summary.facets.map(({ facet }) => facet)];
  const texture = fittedTo(features, TEXTURE_PRIOR);
  const fits = features.summary.facets.map(({ facet }) => fittedTo(features, facet));
  const sources = new Map(features.summary.facets.map(({ facet, source }) => [facet, source]));
  const cells = new Map<string, Cell>();
  checkPlan(plan, known);
  for (const group of plan.attacks) {
    const facets = facetsOf(group, known);
    for (const objective of group.objectives)
      for (const facet of facets)
        for (const search of group.searches)
          for (const threat of group.threats) {
            const fitted = facet === DECISION_FACET ? undefined : fittedTo(features, facet);
            if (!offers({ texture, facets: fits }, fitted, objective) || !pursues(search, objective))
              continue;
            if (stuck(sources.get(facet), objective, search)) continue;
            if (needsGradient(search) && !differentiable(features, facet, objective)) continue;
            const cell = makeCell({ facet, objective, search, threat });
            cells.set(cell.id, cell);
          }
  }
  if (cells.size === 0)
    throw new InputError(['no facet offers what the plan asks for', ...features.summary.notes].join('. '), {
      field: 'attacks',
    });
  return [...cells.values()];
}
