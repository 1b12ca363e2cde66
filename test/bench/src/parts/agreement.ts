/** How far one gradient agrees with another, as attacks feel it. */

export interface Agreement {
  /** Of the angle between the two; NaN where one of them is zero, so that two zeros never count as agreeing. */
  readonly cosine: number;
  /** Euclidean length of the difference over that of the exact one. */
  readonly relativeError: number;
  /** Share of elements whose signs are the same. */
  readonly signsAgree: number;
}

/** @throws RangeError where the lengths differ */
export function agreement(found: ArrayLike<number>, exact: ArrayLike<number>): Agreement {
  if (found.length !== exact.length)
    throw new RangeError(`${found.length} numbers cannot be compared with ${exact.length}`);
  let [dot, ours, theirs, error, agree] = [0, 0, 0, 0, 0];
  for (let i = 0; i < exact.length; i++) {
    dot += found[i] * exact[i];
    ours += found[i] ** 2;
    theirs += exact[i] ** 2;
    error += (found[i] - exact[i]) ** 2;
    if (Math.sign(found[i]) === Math.sign(exact[i])) agree++;
  }
  return {
    cosine: dot / Math.sqrt(ours * theirs),
    relativeError: Math.sqrt(error / theirs),
    signsAgree: agree / exact.length,
  };
}

/** The largest difference over the largest exact value. @throws RangeError where the lengths differ */
export function relativeToLargest(found: ArrayLike<number>, exact: ArrayLike<number>): number {
  if (found.length !== exact.length)
    throw new RangeError(`${found.length} numbers cannot be compared with ${exact.length}`);
  let [difference, largest] = [0, 0];
  for (let i = 0; i < exact.length; i++) {
    difference = Math.max(difference, Math.abs(found[i] - exact[i]));
    largest = Math.max(largest, Math.abs(exact[i]));
  }
  return difference / largest;
}
