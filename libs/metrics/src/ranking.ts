/**
 * What the order of the scores says, whatever the threshold: AUC, EER, and error rates at an operating point that
 * is defined on the samples themselves. They are unchanged by any strictly increasing map of the scores.
 * `eerThreshold` is the only function that makes a threshold; it is for the dev split, and its result is carried
 * to the evaluated one. Results are null where a class is empty; a NaN score throws a RangeError.
 */
import { attacksBySpecies, checkScores, type Sample } from './sample.js';

/** Scores of each class in ascending order, or null where one is empty. */
function sortedScores(samples: readonly Sample[]): { live: Float64Array; spoof: Float64Array } | null {
  checkScores(samples);
  const of = (live: boolean) =>
    Float64Array.from(
      samples.filter((s) => s.live === live),
      (s) => s.score,
    ).sort();
  const scores = { live: of(true), spoof: of(false) };
  return scores.live.length === 0 || scores.spoof.length === 0 ? null : scores;
}

/**
 * Area under the ROC curve: the probability that a live sample scores above an attack, ties counting half.
 * Exact (it counts pairs), in O(n log n). 1 is perfect, 0.5 is chance.
 */
export function auc(samples: readonly Sample[]): number | null {
  const scores = sortedScores(samples);
  if (scores === null) return null;
  const { live, spoof } = scores;
  let [below, atMost, halves] = [0, 0, 0];
  for (const score of live) {
    while (spoof[below] < score) below++;
    while (spoof[atMost] <= score) atMost++;
    halves += below + atMost;
  }
  return halves / (2 * live.length * spoof.length);
}

/**
 * The threshold at which |FAR - FRR| is smallest, attacks pooled. Every threshold between two neighbouring scores
 * decides alike, and their midpoint stands for them (the lowest score itself where all are to be accepted).
 * Should two be equally good, the higher one is taken: it lets fewer attacks in. Constant scores give that
 * constant. Freeze it on the dev split.
 */
export const eerThreshold = (samples: readonly Sample[]): number | null =>
  equalErrorPoint(samples)?.threshold ?? null;

/** Equal error rate: (FAR + FRR) / 2 at {@link eerThreshold} of these same samples, attacks pooled. */
export function eer(samples: readonly Sample[]): number | null {
  const point = equalErrorPoint(samples);
  return point === null ? null : (point.far + point.frr) / 2;
}

function equalErrorPoint(samples: readonly Sample[]) {
  const scores = sortedScores(samples);
  if (scores === null) return null;
  const { live, spoof } = scores;
  // i live and j spoof samples lie below the threshold. Gaps are compared as integers, so that ties are exact.
  let [i, j] = [0, 0];
  let previous: number | undefined;
  let best = { gap: Infinity, threshold: NaN, far: 1, frr: 0 };
  while (i < live.length || j < spoof.length) {
    const value = Math.min(live[i] ?? Infinity, spoof[j] ?? Infinity);
    const gap = Math.abs((spoof.length - j) * live.length - i * spoof.length);
    if (gap <= best.gap)
      best = {
        gap,
        threshold: previous === undefined ? value : midpoint(previous, value),
        far: (spoof.length - j) / spoof.length,
        frr: i / live.length,
      };
    while (live[i] === value) i++;
    while (spoof[j] === value) j++;
    previous = value;
  }
  return best;
}

/** A number in (low, high], half way where the format has one there; finite even between infinities. */
function midpoint(low: number, high: number): number {
  const middle = Math.max(low, -Number.MAX_VALUE) / 2 + Math.min(high, Number.MAX_VALUE) / 2;
  return middle > low && middle <= high ? middle : high;
}

/**
 * The lowest BPCER that is to be had while APCER, of the worst species, is at most `maxApcer`: 0.1 gives
 * BPCER10, 0.05 BPCER20, 0.01 BPCER100. No interpolation: a species of fewer than 1/maxApcer attacks is allowed
 * no error. Throws a RangeError for a limit outside [0,1].
 */
export function bpcerAt(samples: readonly Sample[], maxApcer: number): number | null {
  checkLimit('maxApcer', maxApcer);
  const scores = sortedScores(samples);
  if (scores === null) return null;
  // The highest score that must be rejected, over all species.
  let rejected = -Infinity;
  let rejectsAny = false;
  for (const [, attacks] of attacksBySpecies(samples)) {
    const ascending = Float64Array.from(attacks, (s) => s.score).sort();
    const mustReject = ascending.length - allowed(maxApcer, ascending.length);
    if (mustReject === 0) continue;
    rejectsAny = true;
    rejected = Math.max(rejected, ascending[mustReject - 1]);
  }
  return rejectsAny ? scores.live.filter((score) => score <= rejected).length / scores.live.length : 0;
}

/**
 * True positive rate at a false positive rate of at most `maxFpr`, where **positive means spoof**, as CelebA-Spoof
 * (Zhang et al., ECCV 2020) reports it: the share of attacks found while at most that share of live samples is
 * rejected. No interpolation. Throws a RangeError for a limit outside [0,1].
 */
export function tprAtFpr(samples: readonly Sample[], maxFpr: number): number | null {
  checkLimit('maxFpr', maxFpr);
  const scores = sortedScores(samples);
  if (scores === null) return null;
  const { live, spoof } = scores;
  const errors = allowed(maxFpr, live.length);
  if (errors === live.length) return 1;
  return spoof.filter((score) => score < live[errors]).length / spoof.length;
}

/** The largest count whose share of `total` is at most `limit`. */
function allowed(limit: number, total: number): number {
  const count = Math.floor(limit * total);
  if ((count + 1) / total <= limit) return count + 1;
  return count / total <= limit ? count : count - 1;
}

function checkLimit(name: string, limit: number): void {
  if (!(limit >= 0 && limit <= 1)) throw new RangeError(`${name} is ${limit}, not a fraction in [0,1]`);
}
