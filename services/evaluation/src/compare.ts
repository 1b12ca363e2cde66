/** A model beside its baseline, paired by sample: every difference is drawn over the test samples that both saw. */
import type { Change, Comparison } from '@facet/contracts';
import {
  accuracy,
  auc,
  bootstrap,
  percentileInterval,
  type Sample,
  type Statistic,
  weightedAuc,
  weightedRate,
} from '@facet/metrics';
import type { JudgedCell, Known } from './judge.js';

/** One of the two evaluations that are compared. */
export interface Side {
  readonly cells: readonly JudgedCell[];
  readonly known: Known;
  readonly threshold: number;
}

/** A figure on both sides, and how to draw their difference. */
interface Compared {
  readonly baseline: number | null;
  readonly current: number | null;
  readonly difference: Statistic;
  /** Whether more is better for the model. */
  readonly higherIsBetter: boolean;
}

function changeOf({ baseline, current, higherIsBetter }: Compared, drawn: Float64Array): Change {
  const delta = baseline === null || current === null ? null : current - baseline;
  const interval = delta === null ? null : percentileInterval(drawn);
  const change = (): Change['change'] => {
    if (interval === null) return 'unknown';
    if (interval[0] <= 0 && interval[1] >= 0) return 'within-noise';
    return interval[0] > 0 === higherIsBetter ? 'better' : 'worse';
  };
  return { baseline, current, delta, interval, change: change() };
}

/** A cell's samples in the order of `keys`. */
function aligned(cell: JudgedCell, keys: readonly string[]): JudgedCell {
  const place = new Map(cell.keys.map((key, i) => [key, i]));
  const index = keys.map((key) => place.get(key)!);
  const bytes = (values: Uint8Array) => Uint8Array.from(index, (i) => values[i]);
  const { attempted, fooled } = cell.bits;
  return {
    report: cell.report,
    keys,
    live: bytes(cell.live),
    bits: { attempted: bytes(attempted), fooled: bytes(fooled) },
    worstScores: Float64Array.from(index, (i) => cell.worstScores[i]),
  };
}

const sum = (bytes: Uint8Array): number => bytes.reduce((total, byte) => total + byte, 0);
const rate = ({ bits: { attempted, fooled } }: JudgedCell): number | null =>
  sum(attempted) === 0 ? null : sum(fooled) / sum(attempted);
const robustAuc = ({ worstScores, live }: JudgedCell): number | null =>
  auc([...worstScores].map((score, i) => ({ score, live: live[i] === 1 })));

/** Samples are compared by key; both evaluations are of one dataset. `random` gives the draws. */
export function compare(
  of: Pick<Comparison, 'model' | 'evaluation'>,
  current: Side,
  baseline: Side,
  random: () => number,
): Comparison {
  const theirs = new Map(baseline.cells.map((cell) => [cell.report.id, cell]));
  const first = current.cells.find(({ report }) => theirs.has(report.id));
  const seen = new Set(first && theirs.get(first.report.id)!.keys);
  const keys = first?.keys.filter((key) => seen.has(key)) ?? [];
  const pairs = current.cells.flatMap((cell) => {
    const other = theirs.get(cell.report.id);
    return other === undefined ? [] : [{ now: aligned(cell, keys), before: aligned(other, keys) }];
  });
  const compared: Record<string, Compared> = { ...cleanCompared(current, baseline, keys) };
  for (const { now, before } of pairs) {
    const { id } = now.report;
    const [nowAuc, beforeAuc] = [now, before].map((cell) => weightedAuc(cell.worstScores, cell.live));
    compared[`rate ${id}`] = {
      baseline: rate(before),
      current: rate(now),
      difference: (weights) => weightedRate(now.bits, weights) - weightedRate(before.bits, weights),
      higherIsBetter: false,
    };
    compared[`auc ${id}`] = {
      baseline: robustAuc(before),
      current: robustAuc(now),
      difference: (weights) => nowAuc(weights) - beforeAuc(weights),
      higherIsBetter: true,
    };
  }
  const statistics = Object.fromEntries(
    Object.entries(compared).map(([name, one]) => [name, one.difference]),
  );
  const units = keys.map((key) => current.known.get(key)?.subject ?? key);
  const drawn = bootstrap(units, random, statistics);
  const change = (name: string): Change => changeOf(compared[name], drawn[name]);
  return {
    ...of,
    samples: keys.length,
    clean: { accuracy: change('accuracy'), auc: change('auc') },
    cells: pairs.map(({ now: { report } }) => ({
      id: report.id,
      facet: report.facet,
      objective: report.objective,
      search: report.search,
      norm: report.norm,
      epsilon: report.epsilon,
      attackSuccessRate: change(`rate ${report.id}`),
      robustAuc: change(`auc ${report.id}`),
    })),
  };
}

function cleanCompared(
  current: Side,
  baseline: Side,
  keys: readonly string[],
): Record<'accuracy' | 'auc', Compared> {
  const samplesOf = ({ known }: Side): Sample[] =>
    keys.map((key) => {
      const { score, label } = known.get(key)!;
      return { score, live: label === 'live' };
    });
  const [now, before] = [samplesOf(current), samplesOf(baseline)];
  const right = (samples: readonly Sample[], threshold: number) => ({
    attempted: new Uint8Array(samples.length).fill(1),
    fooled: Uint8Array.from(samples, ({ score, live }) => Number(score >= threshold === live)),
  });
  const [nowRight, beforeRight] = [right(now, current.threshold), right(before, baseline.threshold)];
  const ofScores = (samples: readonly Sample[]) =>
    weightedAuc(
      Float64Array.from(samples, ({ score }) => score),
      Uint8Array.from(samples, ({ live }) => Number(live)),
    );
  const [nowAuc, beforeAuc] = [ofScores(now), ofScores(before)];
  return {
    accuracy: {
      baseline: accuracy(before, baseline.threshold),
      current: accuracy(now, current.threshold),
      difference: (weights) => weightedRate(nowRight, weights) - weightedRate(beforeRight, weights),
      higherIsBetter: true,
    },
    auc: {
      baseline: auc(before),
      current: auc(now),
      difference: (weights) => nowAuc(weights) - beforeAuc(weights),
      higherIsBetter: true,
    },
  };
}
