/**
 * The control of SFA: directions that a prior takes when labels say nothing. Labels shuffled within each class leave two
 * classes of one mean and one covariance; what is left of the difference of their means is chance, and tends to a Gaussian
 * with the covariance within the true classes (Hoeffding, 1951, "A combinatorial central limit theorem"). It is drawn from
 * there: as many shuffles as one likes without a further pass over the data, and a test holds them to real ones.
 *
 * One shuffle is no control. A term is divided by its length before it is weighted, so that a direction that means
 * nothing still moves the decision about as far as one that does, half of the time towards the other class and half away
 * from it: by the draw, such a control falls to a few per cent of success or rises above the facet's own loss. Hence every
 * sample is given a direction of its own.
 */
import type { Random } from '@facet/random';
import { Moments } from './moments.js';
import { requireSamples } from './prior.js';
import { cholesky, solveSpd } from './solve.js';
import { meanVariance, onRawFeature, standardise } from './standardise.js';

/** Directions that are drawn per feature. */
export const CONTROL_DIRECTIONS = 32;

/** Added to the diagonal, as a share of its mean: features that depend on each other have a factor then. */
const JITTER = 1e-9;

/**
 * `count` directions, weights [dimensions] on the raw pooled feature: S_r^-1 delta, where delta is what shuffled labels
 * leave of the difference of the means, and S the covariance of all samples, which each shuffled class then has.
 * Errors: RangeError with fewer samples of a class than a prior needs.
 */
export function drawControls(live: Moments, spoof: Moments, count: number, random: Random): Float32Array[] {
  requireSamples(live, spoof);
  const d = live.dimensions;
  const all = Moments.merged([live.data, spoof.data]);
  const standard = standardise([all]);
  const lower = cholesky(within([live, spoof], standard.scale), d);
  // Of the difference of two halves' means, in deviations of a sample.
  const deviation = 2 / Math.sqrt(all.count);
  const differences = Array.from({ length: count }, () => {
    const normals = Float64Array.from({ length: d }, () => deviation * random.normal());
    return normals.map((_, i) => {
      let sum = 0;
      for (let j = 0; j <= i; j++) sum += lower[i * d + j] * normals[j];
      return sum;
    });
  });
  return solveSpd(standard.covariance, d, differences).map((w) => onRawFeature(standard, w, 0).weights);
}

/** Covariance within the classes, each with the share that it has of the samples, over `scale`. */
function within(classes: readonly Moments[], scale: Float64Array): Float64Array {
  const d = scale.length;
  const total = classes.reduce((sum, { count }) => sum + count, 0);
  const covariance = new Float64Array(d * d);
  for (const moments of classes) {
    const own = moments.covariance();
    for (let i = 0; i < d; i++)
      for (let j = 0; j < d; j++)
        covariance[i * d + j] += ((moments.count / total) * own[i * d + j]) / (scale[i] * scale[j]);
  }
  const floor = JITTER * meanVariance(covariance, d);
  for (let i = 0; i < d; i++) covariance[i * d + i] += floor;
  return covariance;
}

/** One of the directions, or its opposite, which shuffled labels give as often. */
export function controlFor(directions: readonly Float32Array[], random: Random): Float32Array {
  const direction = directions[random.integer(directions.length)];
  return random.integer(2) === 0 ? direction : direction.map((value) => -value);
}
