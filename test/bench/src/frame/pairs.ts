/**
 * The ratio of two things that were timed in turns. Each round is a pair of its own: a machine that becomes slower or faster
 * from round to round changes both of a pair, and a few disturbed rounds do not move the middle.
 */

export interface Ratio {
  /** Hodges and Lehmann's estimate (1963) over the logarithms of the rounds' ratios. */
  readonly ratio: number;
  /** Where it lies with 95 of 100, by Wilcoxon's signed ranks; absent below {@link LEAST_ROUNDS}, where nothing is so sure. */
  readonly interval?: readonly [low: number, high: number];
}

/** All of five rounds lie on one side by chance with 1 of 16. */
const LEAST_ROUNDS = 6;

/** Of the normal distribution, on both sides. */
const Z_95 = 1.959964;

/** @param ours and `theirs`: positive, one a round, in the same order */
export function pairedRatio(ours: readonly number[], theirs: readonly number[]): Ratio {
  const n = ours.length;
  if (n === 0 || n !== theirs.length)
    throw new RangeError(`${n} times beside ${theirs.length}: not timed in turns`);
  const logs = ours.map((time, round) => Math.log(time / theirs[round]));
  const means = logs
    .flatMap((one, i) => logs.slice(i).map((other) => (one + other) / 2))
    .sort((a, b) => a - b);
  const at = (place: number): number => Math.exp(means[place]);
  const middle = (means[(means.length - 1) >> 1] + means[means.length >> 1]) / 2;
  if (n < LEAST_ROUNDS) return { ratio: Math.exp(middle) };
  const spread = Math.sqrt((n * (n + 1) * (2 * n + 1)) / 24);
  const cut = Math.max(0, Math.floor(means.length / 2 - Z_95 * spread));
  return { ratio: Math.exp(middle), interval: [at(cut), at(means.length - 1 - cut)] };
}
