/** Features brought to mean 0 and deviation 1 over all classes, as the SFA definition wants before any fit. */
import { Moments } from './moments.js';

/** Shrinkage of a covariance towards its mean variance. */
export const SHRINKAGE = 0.2;

/** Pooled mean m and divisor s' = s + 1e-4 mean(s) + 1e-8 of the raw feature. */
export interface Scaling {
  readonly mean: Float64Array;
  readonly scale: Float64Array;
}

export interface Standardised extends Scaling {
  /** Class means of x = (z - m) / s'. */
  readonly classMeans: readonly Float64Array[];
  /** Shrunk mean of the classes' covariances of x. */
  readonly covariance: Float64Array;
}

/** The divisors of a feature with this covariance [d, d]. */
export function scaleOf(covariance: Float64Array, d: number): Float64Array {
  const deviation = Float64Array.from({ length: d }, (_, i) => Math.sqrt(covariance[i * d + i]));
  const typical = deviation.reduce((sum, s) => sum + s, 0) / d;
  return deviation.map((s) => s + 1e-4 * typical + 1e-8);
}

/** Of a covariance [d, d]; a feature without any variance still needs a positive definite matrix, and never has none. */
export function meanVariance(covariance: Float64Array, d: number): number {
  let trace = 0;
  for (let i = 0; i < d; i++) trace += covariance[i * d + i];
  return Math.max(trace / d, 1e-12);
}

/** Makes a covariance S [d, d] of x (1 - r) S + r mean(diag S) I, in place. */
export function shrink(covariance: Float64Array, d: number): void {
  const floor = SHRINKAGE * meanVariance(covariance, d);
  for (let i = 0; i < d * d; i++) covariance[i] *= 1 - SHRINKAGE;
  for (let i = 0; i < d; i++) covariance[i * d + i] += floor;
}

export function standardise(classes: readonly Moments[]): Standardised {
  const d = classes[0].dimensions;
  const pooled = new Moments(d);
  for (const moments of classes) pooled.merge(moments);
  const scale = scaleOf(pooled.covariance(), d);
  const classMeans = classes.map((c) => c.mean.map((mean, i) => (mean - pooled.mean[i]) / scale[i]));

  const covariance = new Float64Array(d * d);
  for (const moments of classes) {
    const own = moments.covariance();
    for (let i = 0; i < d; i++)
      for (let j = 0; j < d; j++)
        covariance[i * d + j] += own[i * d + j] / (scale[i] * scale[j] * classes.length);
  }
  shrink(covariance, d);
  return { mean: pooled.mean, scale, classMeans, covariance };
}

/** A linear function of x as one of the raw feature z: weights w/s', bias c - w.(m/s'). */
export function onRawFeature(
  { mean, scale }: Scaling,
  weights: Float64Array,
  bias: number,
): { weights: Float32Array; bias: number } {
  const raw = weights.map((w, i) => w / scale[i]);
  return {
    weights: Float32Array.from(raw),
    bias: bias - raw.reduce((sum, w, i) => sum + w * mean[i], 0),
  };
}
