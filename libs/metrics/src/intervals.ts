/** 95 % confidence intervals: how far a number in a report may be chance. */

export type Interval = [low: number, high: number];

/** Two-sided 95 % quantile of the standard normal distribution. */
const Z_95 = 1.959963984540054;
const TAIL = 0.025;
/** Share of resamples that may be undefined before the rest speak of the lucky draws only. */
const MAX_UNDEFINED = 0.05;

/**
 * The 95 % percentile interval of a statistic's values over bootstrap draws. NaN marks a draw in which it was undefined
 * (one class drawn empty) and is left out; where more than 5 % are, as with fewer than about three samples of a class, the
 * interval is null, and so it is without draws.
 */
export function percentileInterval(values: Float64Array): Interval | null {
  const defined = values.filter((value) => !Number.isNaN(value)).sort();
  if (defined.length === 0 || defined.length < (1 - MAX_UNDEFINED) * values.length) return null;
  return [quantile(defined, TAIL), quantile(defined, 1 - TAIL)];
}

/** Linear interpolation between order statistics (Hyndman and Fan's type 7). */
function quantile(ascending: Float64Array, p: number): number {
  const at = p * (ascending.length - 1);
  const [low, high] = [ascending[Math.floor(at)], ascending[Math.ceil(at)]];
  return low + (high - low) * (at - Math.floor(at));
}

/**
 * Wilson score interval for a rate (Wilson, 1927): sound for few trials and for rates of 0 and 1, where the normal
 * approximation has no width. Null without trials; throws a RangeError for counts that are no counts.
 */
export function wilsonInterval(successes: number, trials: number): Interval | null {
  if (!(Number.isSafeInteger(trials) && trials >= 0))
    throw new RangeError(`trials is ${trials}, not a count`);
  if (!(Number.isSafeInteger(successes) && successes >= 0 && successes <= trials))
    throw new RangeError(`successes is ${successes}, not a count of at most ${trials}`);
  if (trials === 0) return null;
  const rate = successes / trials;
  const z2 = Z_95 ** 2 / trials;
  const centre = (rate + z2 / 2) / (1 + z2);
  const half = (Z_95 / (1 + z2)) * Math.sqrt((rate * (1 - rate)) / trials + z2 / (4 * trials));
  return [successes === 0 ? 0 : centre - half, successes === trials ? 1 : centre + half];
}
