/** One number for a whole sweep over epsilon, so that facets can be ranked below and above saturation. */

export interface SuccessPoint {
  /** Perturbation budget, a positive fraction of the pixel range. */
  readonly epsilon: number;
  /** Attack success at that budget, in [0,1]. */
  readonly rate: number;
}

/**
 * Area under attack success over epsilon, by the trapezoid rule from success 0 at epsilon 0, over the largest
 * epsilon: in [0,1], higher is more vulnerable. Only comparable between sweeps over the same epsilons. Null without
 * points; throws a RangeError for a point out of range or an epsilon that comes twice.
 */
export function areaUnderSuccess(points: readonly SuccessPoint[]): number | null {
  points.forEach(({ epsilon, rate }, i) => {
    if (!(epsilon > 0 && epsilon < Infinity))
      throw new RangeError(`point ${i}: epsilon is ${epsilon}, not positive and finite`);
    if (!(rate >= 0 && rate <= 1)) throw new RangeError(`point ${i}: rate is ${rate}, not in [0,1]`);
  });
  if (points.length === 0) return null;
  let area = 0;
  let last: SuccessPoint = { epsilon: 0, rate: 0 };
  for (const point of points.toSorted((a, b) => a.epsilon - b.epsilon)) {
    if (point.epsilon === last.epsilon) throw new RangeError(`epsilon ${point.epsilon} comes twice`);
    area += ((point.epsilon - last.epsilon) * (point.rate + last.rate)) / 2;
    last = point;
  }
  return area / last.epsilon;
}

/**
 * Median over samples of the smallest epsilon that turned the decision; higher is more robust. A sample that no
 * tried epsilon turned is given as null and ranks above all others. Null where the median falls among those, or
 * without samples. Throws a RangeError for an epsilon that is negative or not finite.
 */
export function medianMinimalEpsilon(minimalEpsilons: readonly (number | null)[]): number | null {
  const ascending = minimalEpsilons
    .map((epsilon, i) => {
      if (epsilon !== null && !(epsilon >= 0 && epsilon < Infinity))
        throw new RangeError(`sample ${i}: epsilon is ${epsilon}, neither null nor a finite fraction`);
      return epsilon ?? Infinity;
    })
    .sort((a, b) => (a === b ? 0 : a - b));
  if (ascending.length === 0) return null;
  const upper = ascending.length >> 1;
  const lower = (ascending.length - 1) >> 1;
  const median = (ascending[lower] + ascending[upper]) / 2;
  return median === Infinity ? null : median;
}
