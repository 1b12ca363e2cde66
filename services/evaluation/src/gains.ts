/** What the prior adds: mean success over the auxiliary facets with it and without it, at each budget. */
import { AUXILIARY_FACETS, type Report } from '@facet/contracts';
import { percentileInterval, type Statistic, weightedRate } from '@facet/metrics';
import { groupBy } from './curves.js';
import type { JudgedCell } from './judge.js';

type Gain = Report['gains'][number];

const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;

/** The cells of one budget by facet, for each objective. */
interface Group {
  readonly id: string;
  readonly facet: ReadonlyMap<string, JudgedCell>;
  readonly sfa: ReadonlyMap<string, JudgedCell>;
  readonly control: ReadonlyMap<string, JudgedCell>;
  /** Facets for which both `facet` and `sfa` have a figure. */
  readonly common: readonly string[];
  readonly budget: Pick<Gain, 'search' | 'norm' | 'epsilon'>;
}

function groupsOf(cells: readonly JudgedCell[]): Group[] {
  const auxiliary = cells.filter(({ report }) =>
    (AUXILIARY_FACETS as readonly string[]).includes(report.facet),
  );
  return [
    ...groupBy(auxiliary, ({ report: { search, norm, epsilon } }) => [search, norm, epsilon].join()),
  ].map(([id, group]) => {
    const by = (objective: string) =>
      new Map(
        group
          .filter(({ report }) => report.objective === objective && report.attackSuccessRate !== null)
          .map((cell) => [cell.report.facet, cell]),
      );
    const [facet, sfa] = [by('facet'), by('sfa')];
    const { search, norm, epsilon } = group[0].report;
    return {
      id: `gain ${id}`,
      facet,
      sfa,
      control: by('control'),
      common: [...facet.keys()].filter((name) => sfa.has(name)),
      budget: { search, norm, epsilon },
    };
  });
}

/** The gain of every budget, to be drawn. */
export const gainStatistics = (cells: readonly JudgedCell[]): Record<string, Statistic> =>
  Object.fromEntries(
    groupsOf(cells)
      .filter(({ common }) => common.length > 0)
      .map(({ id, facet, sfa, common }) => [
        id,
        (weights) =>
          common.reduce(
            (sum, name) =>
              sum + weightedRate(sfa.get(name)!.bits, weights) - weightedRate(facet.get(name)!.bits, weights),
            0,
          ) / common.length,
      ]),
  );

/**
 * Means over exactly those auxiliary facets for which both `facet` and `sfa` have a figure. Where none has both, each mean
 * is over its own facets and there is no gain. `control` has a mean only where it covers the same facets.
 */
export const gainsOf = (
  cells: readonly JudgedCell[],
  drawn: Readonly<Record<string, Float64Array>>,
): Gain[] =>
  groupsOf(cells).map(({ id, facet, sfa, control, common, budget }) => {
    const over = (found: ReadonlyMap<string, JudgedCell>): number | null => {
      const rates = (names: Iterable<string>) =>
        [...names].map((name) => found.get(name)!.report.attackSuccessRate!);
      if (common.length === 0) return mean(rates(found.keys()));
      return common.every((name) => found.has(name)) ? mean(rates(common)) : null;
    };
    const [meanFacet, meanSfa] = [over(facet), over(sfa)];
    const compared = common.length > 0 && meanFacet !== null && meanSfa !== null;
    return {
      ...budget,
      facet: meanFacet,
      sfa: meanSfa,
      control: over(control),
      gain: compared ? meanSfa - meanFacet : null,
      interval: compared && Object.hasOwn(drawn, id) ? percentileInterval(drawn[id]) : null,
    };
  });
