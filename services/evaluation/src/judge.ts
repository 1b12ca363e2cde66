/** From stored outcomes to the figures of a report. Pure but for reading the outcomes. */
import { type PlannedEvaluation, readOutcomes } from '@facet/catalog';
import {
  AUXILIARY_FACETS,
  type Cell,
  type CellReport,
  type CleanReport,
  type CleanScore,
  type EvaluationPlan,
  type FacetCurve,
  type Features,
  formatSearch,
  keys,
  type Outcome,
  type Report,
} from '@facet/contracts';
import { areaUnderSuccess, attackSuccess, cleanSummary, robustSummary, wilsonInterval } from '@facet/metrics';
import { referenceOf } from '@facet/report';
import { InputError } from '@facet/runtime';
import type { ObjectStore } from '@facet/store';

/** All outcomes of a cell, in the order of its shards. */
export async function cellOutcomes(
  store: ObjectStore,
  planned: PlannedEvaluation,
  cell: Cell,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (let shard = 0; shard < planned.shards; shard++) {
    const key = keys.evaluation.outcomes(planned.evaluation, cell.id, shard);
    const object = await store.get(key);
    if (object === undefined) throw new InputError('is missing from the store', { file: key });
    outcomes.push(...(await readOutcomes(await object.bytes(), key)));
  }
  return outcomes;
}

export function judgeClean(
  { threshold }: Pick<Features, 'threshold'>,
  scores: readonly CleanScore[],
): CleanReport {
  const test = scores.filter(({ split }) => split === 'test');
  const samples = test.map(({ score, label, species }) => ({ score, live: label === 'live', species }));
  const { accuracy, ...rest } = cleanSummary(samples, threshold.value);
  if (accuracy === null) throw new InputError('has no test samples', { field: 'dataset' });
  return { split: 'test', thresholdSource: threshold.source, accuracy, ...rest };
}

export function judgeCell(cell: Cell, outcomes: readonly Outcome[], threshold: number): CellReport {
  const judged = outcomes.map((outcome) => ({ ...outcome, live: outcome.label === 'live' }));
  const success = attackSuccess(judged, threshold);
  const robust = robustSummary(judged, threshold);
  return {
    id: cell.id,
    facet: cell.facet,
    objective: cell.objective,
    search: formatSearch(cell.search),
    norm: cell.threat.norm,
    epsilon: cell.threat.epsilon,
    samples: outcomes.length,
    attempted: success.attempted,
    succeeded: success.succeeded,
    attackSuccessRate: success.rate,
    interval: wilsonInterval(success.succeeded, success.attempted),
    directions: success.directions,
    bySpecies: success.bySpecies,
    robustApcer: robust.apcer,
    robustBpcer: robust.bpcer,
    robustAuc: robust.auc,
    maxLinf: outcomes.reduce((max, { linf }) => Math.max(max, linf), 0),
    meanL2: outcomes.reduce((sum, { l2 }) => sum + l2, 0) / outcomes.length,
  };
}

/** Items by a key, in the order in which the keys first appear. */
function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return [...groups.values()];
}

export function curvesOf(cells: readonly CellReport[]): FacetCurve[] {
  const groups = groupBy(cells, ({ facet, objective, search, norm }) =>
    [facet, objective, search, norm].join(),
  );
  return groups.map((group) => {
    const sorted = [...group].sort((a, b) => a.epsilon - b.epsilon);
    const points = sorted.flatMap(({ epsilon, attackSuccessRate: rate }) =>
      rate === null ? [] : [{ epsilon, rate }],
    );
    const { facet, objective, search, norm } = group[0];
    return {
      facet,
      objective,
      search,
      norm,
      points: sorted.map(({ epsilon, attackSuccessRate }) => ({ epsilon, attackSuccessRate })),
      areaUnderSuccess: areaUnderSuccess(points),
    };
  });
}

const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * What the prior adds at each budget: means over exactly those auxiliary facets for which both `facet` and `sfa` have a
 * figure. Where none has both, each mean is over its own facets and there is no gain. `control` has a mean only where
 * it covers the same facets.
 */
export function gainsOf(cells: readonly CellReport[]): Report['gains'] {
  const auxiliary = cells.filter(({ facet }) => (AUXILIARY_FACETS as readonly string[]).includes(facet));
  const groups = groupBy(auxiliary, ({ search, norm, epsilon }) => [search, norm, epsilon].join());
  return groups.map((group) => {
    const ratesOf = (objective: string): Map<string, number> =>
      new Map(
        group.flatMap((cell) =>
          cell.objective === objective && cell.attackSuccessRate !== null
            ? [[cell.facet, cell.attackSuccessRate]]
            : [],
        ),
      );
    const [facet, sfa, control] = [ratesOf('facet'), ratesOf('sfa'), ratesOf('control')];
    const common = [...facet.keys()].filter((name) => sfa.has(name));
    const over = (rates: Map<string, number>): number | null => {
      if (common.length === 0) return mean([...rates.values()]);
      if (!common.every((name) => rates.has(name))) return null;
      return mean(common.map((name) => rates.get(name)!));
    };
    const [meanFacet, meanSfa] = [over(facet), over(sfa)];
    const { search, norm, epsilon } = group[0];
    return {
      search,
      norm,
      epsilon,
      facet: meanFacet,
      sfa: meanSfa,
      control: over(control),
      gain: common.length > 0 && meanFacet !== null && meanSfa !== null ? meanSfa - meanFacet : null,
    };
  });
}

/**
 * Ranks facets by how soon they give way: largest area under success first, by the search and norm that the report's
 * headline speaks about, since areas over other budgets do not compare; by `sfa` where it ran, else `facet`. Facets
 * without a figure there have no rank.
 */
export function ranksOf(
  plan: EvaluationPlan,
  curves: readonly FacetCurve[],
  facets: readonly string[],
): ReadonlyMap<string, number> {
  const reference = referenceOf(plan, curves);
  const compared = curves.filter(
    ({ search, norm }) => search === reference?.search && norm === reference.norm,
  );
  const area = (facet: string): number | null => {
    const own = compared.filter((curve) => curve.facet === facet);
    const best =
      own.find(({ objective }) => objective === 'sfa') ?? own.find(({ objective }) => objective === 'facet');
    return best?.areaUnderSuccess ?? null;
  };
  const ranked = facets
    .map((facet) => ({ facet, area: area(facet) }))
    .filter((one): one is { facet: string; area: number } => one.area !== null)
    .sort((a, b) => b.area - a.area || (a.facet < b.facet ? -1 : 1));
  return new Map(ranked.map(({ facet }, i) => [facet, i + 1]));
}
