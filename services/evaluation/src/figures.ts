/**
 * All figures of an evaluation, from its stored rows: cells, curves, gains, ranks, intervals, and the comparison with a
 * baseline. Runs in a worker, for parsing rows and drawing resamples is compute. One seed gives one report: the draws follow
 * the plan's.
 */
import { readOutcomes, readScores } from '@facet/catalog';
import type {
  Cell,
  CellReport,
  CleanReport,
  Comparison,
  EvaluationPlan,
  Features,
  Report,
} from '@facet/contracts';
import { bootstrap, type Interval, percentileInterval, type Statistic, weightedAuc } from '@facet/metrics';
import { Random } from '@facet/random';
import { compare, type Side } from './compare.js';
import { curveOf, rankingOf, rounded, sweepsOf, sweepStatistics } from './curves.js';
import { gainsOf, gainStatistics } from './gains.js';
import { type JudgedCell, judgeCell, judgeClean, type Known } from './judge.js';
import { type WorstSample, worstSample } from './worst.js';

/** A file as it is stored, and its key for errors. */
export interface StoredRows {
  readonly key: string;
  readonly bytes: Uint8Array;
}

/** What an evaluation left in the store. */
export interface StoredEvaluation {
  readonly evaluation: string;
  readonly model: Report['model'];
  readonly cells: readonly Cell[];
  /** Of each cell, its shards in order. */
  readonly outcomes: readonly (readonly StoredRows[])[];
  readonly features: Features;
  readonly scores: StoredRows;
}

export interface FiguresInput {
  readonly plan: EvaluationPlan;
  readonly current: StoredEvaluation;
  readonly baseline: StoredEvaluation | null;
  /** Facets that lack a cell of the plan. */
  readonly failedFacets: readonly string[];
}

export interface Figures extends Pick<Report, 'clean' | 'cells' | 'curves' | 'gains' | 'facets' | 'ranking'> {
  readonly baseline: Comparison | null;
  /** By cell. */
  readonly worst: ReadonlyMap<string, WorstSample>;
}

interface Judged extends Side {
  readonly clean: Omit<CleanReport, 'aucInterval'>;
  readonly worst: ReadonlyMap<string, WorstSample>;
}

async function judge({ cells, outcomes, features, scores }: StoredEvaluation): Promise<Judged> {
  const rows = await readScores(scores.bytes, scores.key);
  const known: Known = new Map(rows.filter(({ split }) => split === 'test').map((row) => [row.key, row]));
  const threshold = features.threshold.value;
  const clean = judgeClean(features, rows);
  const judged: JudgedCell[] = [];
  const worst = new Map<string, WorstSample>();
  for (const [i, cell] of cells.entries()) {
    const shards = await Promise.all(outcomes[i].map(({ bytes, key }) => readOutcomes(bytes, key)));
    const all = shards.flat();
    judged.push(judgeCell(cell, all, threshold, clean.calibrated?.threshold ?? null, known));
    const sample = worstSample(all, threshold);
    if (sample !== undefined) worst.set(cell.id, sample);
  }
  return { cells: judged, known, threshold, clean, worst };
}

export async function figuresOf({
  plan,
  current: stored,
  baseline,
  failedFacets,
}: FiguresInput): Promise<Figures> {
  const current = await judge(stored);
  const { cells, known } = current;
  // Areas over fewer epsilons, or of another objective, do not compare.
  const names = stored.features.facets
    .map(({ facet }) => facet)
    .filter((facet) => !failedFacets.includes(facet));
  const sweeps = sweepsOf(cells);
  const ranking = rankingOf(plan, sweeps, names);
  const statistics: Record<string, Statistic> = {
    ...Object.assign({}, ...sweeps.map(sweepStatistics)),
    ...ranking.statistics,
    ...gainStatistics(cells),
  };
  for (const { report, worstScores, live } of cells)
    statistics[`auc ${report.id}`] = weightedAuc(worstScores, live);
  const draw = (...of: string[]) => {
    const random = new Random(plan.seed, 'bootstrap', ...of);
    return () => random.uniform();
  };
  // Every cell attacks the same samples in the same order.
  const units = (cells[0]?.keys ?? []).map((key) => known.get(key)?.subject ?? key);
  const drawn = bootstrap(units, draw(), statistics);
  const { by, facets: ranks } = ranking.rank(drawn);
  const unranked = { rank: null, rankInterval: null, weakestShare: null };
  return {
    clean: { ...current.clean, aucInterval: cleanAucInterval(known, draw('clean')) },
    cells: cells.map(({ report }): CellReport => ({
      ...report,
      robustAucInterval:
        report.robustAuc === null ? null : rounded(percentileInterval(drawn[`auc ${report.id}`])),
    })),
    curves: sweeps.map((sweep) => curveOf(sweep, drawn)),
    gains: gainsOf(cells, drawn),
    facets: stored.features.facets.map((facet) => ({ ...facet, ...(ranks.get(facet.facet) ?? unranked) })),
    ranking: by,
    baseline:
      baseline === null
        ? null
        : compare(
            { model: baseline.model, evaluation: baseline.evaluation },
            current,
            await judge(baseline),
            draw('baseline'),
          ),
    worst: current.worst,
  };
}

function cleanAucInterval(known: Known, random: () => number): Interval | null {
  const rows = [...known.values()];
  const auc = weightedAuc(
    Float64Array.from(rows, ({ score }) => score),
    Uint8Array.from(rows, ({ label }) => Number(label === 'live')),
  );
  const units = rows.map(({ subject, key }) => subject ?? key);
  return rounded(percentileInterval(bootstrap(units, random, { auc }).auc));
}
