/** Success over epsilon: curves, the area under them, median minimal epsilons, and the ranking of facets by them. */
import {
  AUXILIARY_FACETS,
  DECISION_FACET,
  type EvaluationPlan,
  type FacetCurve,
  type Report,
} from '@facet/contracts';
import {
  areaUnderSuccess,
  type Interval,
  medianMinimalEpsilon,
  percentileInterval,
  type Statistic,
  weightedMedian,
  weightedRate,
} from '@facet/metrics';
import { referenceOf } from '@facet/report';
import type { JudgedCell } from './judge.js';

/** From this success of the attack on the decision on, everything falls and nothing is told apart. */
const SATURATED = 0.95;

/** The cells of a facet, objective, search and norm, by ascending epsilon. */
export interface Sweep {
  readonly id: string;
  readonly cells: readonly JudgedCell[];
}

/** Items by a key, in the order in which the keys first appear. */
export function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}

export const sweepsOf = (cells: readonly JudgedCell[]): Sweep[] =>
  [
    ...groupBy(cells, ({ report: { facet, objective, search, norm } }) =>
      [facet, objective, search, norm].join(),
    ),
  ].map(([id, group]) => ({
    id,
    cells: [...group].sort((a, b) => a.report.epsilon - b.report.epsilon),
  }));

/** Rates at ascending epsilons; those without a figure are left out. */
const areaOf = (epsilons: readonly number[], rates: readonly (number | null)[]): number | null =>
  areaUnderSuccess(
    epsilons.flatMap((epsilon, i) => (rates[i] === null ? [] : [{ epsilon, rate: rates[i] }])),
  );

/** The smallest epsilon that turned each right decision; null where none did. */
function minimalEpsilons({ cells }: Sweep): { index: Uint32Array; values: (number | null)[] } {
  const { attempted } = cells[0].bits;
  const index = Uint32Array.from(attempted.keys()).filter((i) => attempted[i] === 1);
  const values = Array.from(attempted.keys(), (i) => {
    const fell = cells.find(({ bits }) => bits.fooled[i] === 1);
    return fell === undefined ? null : fell.report.epsilon;
  });
  return { index, values };
}

/** The statistics of a sweep to draw: its area and its median minimal epsilon. */
export function sweepStatistics(sweep: Sweep): Record<string, Statistic> {
  const { index, values } = minimalEpsilons(sweep);
  const order = index.slice().sort((a, b) => (values[a] ?? Infinity) - (values[b] ?? Infinity) || a - b);
  const epsilons = sweep.cells.map(({ report }) => report.epsilon);
  return {
    [`area ${sweep.id}`]: (weights) => {
      const rates = sweep.cells.map(({ bits }) => weightedRate(bits, weights));
      return (
        areaOf(
          epsilons,
          rates.map((rate) => (Number.isNaN(rate) ? null : rate)),
        ) ?? NaN
      );
    },
    [`median ${sweep.id}`]: (weights) => weightedMedian(values, order, weights),
  };
}

type Drawn = Readonly<Record<string, Float64Array>>;

export function curveOf(sweep: Sweep, drawn: Drawn): FacetCurve {
  const { cells } = sweep;
  const { facet, objective, search, norm } = cells[0].report;
  const epsilons = cells.map(({ report }) => report.epsilon);
  const { index, values } = minimalEpsilons(sweep);
  const { live } = cells[0];
  const direction = (wanted: number, of: 'spoofAsLive' | 'liveAsSpoof') => ({
    areaUnderSuccess: areaOf(
      epsilons,
      cells.map(({ report }) => report.directions[of].rate),
    ),
    medianMinimalEpsilon: medianMinimalEpsilon(
      [...index].filter((i) => live[i] === wanted).map((i) => values[i]),
    ),
  });
  return {
    facet,
    objective,
    search,
    norm,
    points: cells.map(({ report: { epsilon, attackSuccessRate } }) => ({ epsilon, attackSuccessRate })),
    areaUnderSuccess: areaOf(
      epsilons,
      cells.map(({ report }) => report.attackSuccessRate),
    ),
    areaInterval: rounded(percentileInterval(drawn[`area ${sweep.id}`])),
    medianMinimalEpsilon: medianMinimalEpsilon([...index].map((i) => values[i])),
    medianInterval: percentileInterval(drawn[`median ${sweep.id}`]),
    directions: { spoofAsLive: direction(0, 'spoofAsLive'), liveAsSpoof: direction(1, 'liveAsSpoof') },
  };
}

/** Sums in another order may leave [0,1] by a last bit. */
export const rounded = (interval: Interval | null): Interval | null =>
  interval && [Math.max(0, Math.min(1, interval[0])), Math.max(0, Math.min(1, interval[1]))];

export interface Ranking {
  readonly by: Report['ranking'];
  readonly facets: ReadonlyMap<
    string,
    Pick<Report['facets'][number], 'rank' | 'rankInterval' | 'weakestShare'>
  >;
}

/** The statistics that a ranking needs, and how to read it off their draws. */
export interface RankingPlan {
  readonly statistics: Readonly<Record<string, Statistic>>;
  readonly rank: (drawn: Drawn) => Ranking;
}

/**
 * Ranks facets by how soon they give way: largest area under success first, by the search and norm that the report's
 * headline speaks about, since areas over other budgets do not compare, and over epsilons below saturation; by `sfa` where
 * it ran, else `facet`. Facets without a figure there have no rank.
 */
export function rankingOf(
  plan: EvaluationPlan,
  sweeps: readonly Sweep[],
  facets: readonly string[],
): RankingPlan {
  const reference = referenceOf(
    plan,
    sweeps.map(({ cells }) => cells[0].report),
  );
  const compared = sweeps.filter(
    ({ cells: [{ report }] }) => report.search === reference?.search && report.norm === reference.norm,
  );
  const epsilons = [
    ...new Set(compared.flatMap(({ cells }) => cells.map(({ report }) => report.epsilon))),
  ].sort((a, b) => a - b);
  const saturated = saturatedOf(compared, epsilons);
  const below = (sweep: Sweep): Sweep => ({
    id: `ranked ${sweep.id}`,
    cells: sweep.cells.filter(({ report }) => !saturated.includes(report.epsilon)),
  });
  const of = (facet: string): Sweep | undefined => {
    const own = compared.filter(({ cells: [{ report }] }) => report.facet === facet);
    const by = (objective: string) => own.find(({ cells: [{ report }] }) => report.objective === objective);
    const best = by('sfa') ?? by('facet');
    return best && below(best);
  };
  const areas = facets.flatMap((facet) => {
    const sweep = of(facet);
    const area =
      sweep &&
      areaOf(
        sweep.cells.map(({ report }) => report.epsilon),
        sweep.cells.map(({ report }) => report.attackSuccessRate),
      );
    return sweep === undefined || area == null ? [] : [{ facet, sweep, area }];
  });
  areas.sort((a, b) => b.area - a.area || (a.facet < b.facet ? -1 : 1));
  return {
    statistics: Object.fromEntries(
      areas.map(({ sweep }) => [`area ${sweep.id}`, sweepStatistics(sweep)[`area ${sweep.id}`]]),
    ),
    rank: (drawn) => ({
      by: reference
        ? {
            search: reference.search,
            norm: reference.norm,
            epsilons: epsilons.filter((epsilon) => !saturated.includes(epsilon)),
            saturated,
          }
        : null,
      facets: new Map(
        areas.map(({ facet, sweep }, i) => {
          const own = drawn[`area ${sweep.id}`];
          const ranks = own.map((area, draw) =>
            areas.reduce((rank, other) => rank + Number(drawn[`area ${other.sweep.id}`][draw] > area), 1),
          );
          const interval = percentileInterval(ranks);
          return [
            facet,
            {
              rank: i + 1,
              rankInterval: interval && [Math.floor(interval[0]), Math.ceil(interval[1])],
              weakestShare: ranks.filter((rank) => rank === 1).length / ranks.length,
            },
          ];
        }),
      ),
    }),
  };
}

/** By the attack on the decision, or where that did not run by the mean of `sfa`, else of `facet`. The smallest epsilon stays. */
function saturatedOf(compared: readonly Sweep[], epsilons: readonly number[]): number[] {
  const auxiliary = (facet: string) =>
    (AUXILIARY_FACETS as readonly string[]).includes(facet) || facet !== DECISION_FACET;
  const rates = (epsilon: number, objective: string): number[] =>
    compared.flatMap(({ cells }) =>
      cells.flatMap(({ report }) =>
        report.epsilon === epsilon &&
        report.objective === objective &&
        report.attackSuccessRate !== null &&
        (objective === 'direct') !== auxiliary(report.facet)
          ? [report.attackSuccessRate]
          : [],
      ),
    );
  return epsilons.slice(1).filter((epsilon) => {
    const found = ['direct', 'sfa', 'facet']
      .map((objective) => rates(epsilon, objective))
      .find(({ length }) => length > 0);
    return found !== undefined && found.reduce((sum, rate) => sum + rate, 0) / found.length >= SATURATED;
  });
}
