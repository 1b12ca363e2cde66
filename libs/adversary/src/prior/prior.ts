/**
 * The prior of a facet's semantic feature: where live and spoof lie in it. As a linear log-likelihood ratio it is
 * the closed form of semantic data augmentation with Gaussian classes. The definition is ours; the paper's code was
 * never published.
 */
import type { Moments } from './moments.js';
import { solveSpd } from './solve.js';
import { onRawFeature, standardise } from './standardise.js';

/** w . z + c on the raw pooled feature z: positive towards spoof, unbounded. */
export interface LinearPrior {
  readonly weights: Float32Array;
  readonly bias: number;
}

/** Fewer samples of a class than this do not make a prior. */
export const MIN_PRIOR_SAMPLES = 20;

/** Errors: RangeError with fewer than {@link MIN_PRIOR_SAMPLES} samples of a class. */
export function requireSamples(live: Moments, spoof: Moments): void {
  if (Math.min(live.count, spoof.count) < MIN_PRIOR_SAMPLES)
    throw new RangeError(
      `a prior needs ${MIN_PRIOR_SAMPLES} samples of each class, there are ${live.count} live and ${spoof.count} spoof`,
    );
}

/**
 * w = S_r^-1 (mu1 - mu0), c = -w.(mu0 + mu1)/2 on standardised features, returned for raw ones.
 * Errors: RangeError with fewer than {@link MIN_PRIOR_SAMPLES} samples of a class.
 */
export function fitPrior(live: Moments, spoof: Moments): LinearPrior {
  requireSamples(live, spoof);
  const standard = standardise([live, spoof]);
  const [mu0, mu1] = standard.classMeans;
  const [w] = solveSpd(standard.covariance, live.dimensions, [mu1.map((m, i) => m - mu0[i])]);
  const bias = -w.reduce((sum, value, i) => sum + value * (mu0[i] + mu1[i]), 0) / 2;
  return onRawFeature(standard, w, bias);
}

/** w . z + c for one raw pooled feature. */
export function priorValue(prior: LinearPrior, feature: ArrayLike<number>): number {
  let sum = prior.bias;
  for (let i = 0; i < prior.weights.length; i++) sum += prior.weights[i] * feature[i];
  return sum;
}
