/** 95 % confidence intervals: how far a number in a report may be chance. */

export type Interval = [low: number, high: number];

/** Two-sided 95 % quantile of the standard normal distribution. */
const Z_95 = 1.959963984540054;
const TAIL = 0.025;
const RESAMPLES = 1000;
/** Share of resamples that may be undefined before the rest speak of the lucky draws only. */
const MAX_UNDEFINED = 0.05;

/**
 * Percentile bootstrap (Efron, 1979) of any statistic: items are drawn with replacement, `resamples` times. Items
 * must be independent: where several samples come from one subject or video, let an item be all of them.
 * `random` gives numbers in [0,1) and is the only source of chance, so a seeded one makes the interval
 * reproducible. A resample in which the statistic is null (one class drawn empty) is left out; where more than 5 %
 * are, as with fewer than about three samples of a class, the interval is null, and so it is without items.
 * Costs `resamples` calls of `statistic`, in one go. Throws a RangeError where `resamples` is no positive integer
 * or the statistic is not finite.
 */
export function bootstrapInterval<T>(
  items: readonly T[],
  statistic: (resample: readonly T[]) => number | null,
  random: () => number,
  resamples = RESAMPLES,
): Interval | null {
  if (!(Number.isSafeInteger(resamples) && resamples > 0))
    throw new RangeError(`resamples is ${resamples}, not a positive integer`);
  if (items.length === 0) return null;
  const values: number[] = [];
  for (let i = 0; i < resamples; i++) {
    const value = statistic(Array.from(items, () => items[Math.floor(random() * items.length)]));
    if (value === null) continue;
    if (!Number.isFinite(value)) throw new RangeError(`resample ${i}: the statistic is ${value}`);
    values.push(value);
  }
  if (values.length < (1 - MAX_UNDEFINED) * resamples) return null;
  values.sort((a, b) => a - b);
  return [quantile(values, TAIL), quantile(values, 1 - TAIL)];
}

/** Linear interpolation between order statistics (Hyndman and Fan's type 7). */
function quantile(ascending: readonly number[], p: number): number {
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
