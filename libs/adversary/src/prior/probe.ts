/**
 * Linear probes that stand in for missing heads: linear discriminant analysis (Fisher, 1936) with the prior's shrinkage, so
 * that they have a closed form and no randomness.
 *
 * They are fitted to the moments of features that have an indicator of each output behind them: 1 where the sample is of the
 * class, or has the attribute, else 0. An indicator's mean is its class's share, and its covariance with the feature, over
 * that share, how far the class's mean lies from the mean of all. So one matrix serves every output: forty attributes of an
 * embedding of 2,048 values would take 2.7 GB with a matrix for either side of each.
 */
import type { Moments } from './moments.js';
import { solveSpd } from './solve.js';
import { onRawFeature, scaleOf, type Scaling, shrink, SHRINKAGE } from './standardise.js';

/** Logits of `classes` outputs: weights [classes, dimensions] row-major, bias [classes], on raw features. */
export interface LinearProbe {
  readonly classes: number;
  readonly weights: Float32Array;
  readonly bias: Float32Array;
}

/** A class without samples gets this logit: it is never predicted. */
const NEVER = -1e4;

const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, value, i) => sum + value * b[i], 0);

interface Indicated extends Scaling {
  readonly dimensions: number;
  /** Covariance [dimensions, dimensions] of x over all samples. */
  readonly covariance: Float64Array;
  /** Of each output, the mean of its indicator. */
  readonly shares: Float64Array;
  /** Of each output, the covariance of its indicator with x: its share times its class's mean of x. */
  readonly crosses: readonly Float64Array[];
}

function indicated(joined: Moments, outputs: number): Indicated {
  const [all, d] = [joined.dimensions, joined.dimensions - outputs];
  const of = joined.covariance();
  const covariance = new Float64Array(d * d);
  for (let i = 0; i < d; i++) covariance.set(of.subarray(i * all, i * all + d), i * d);
  const scale = scaleOf(covariance, d);
  for (let i = 0; i < d; i++) for (let j = 0; j < d; j++) covariance[i * d + j] /= scale[i] * scale[j];
  const crosses = Array.from({ length: outputs }, (_, k) => {
    const row = (d + k) * all;
    return of.slice(row, row + d).map((value, i) => value / scale[i]);
  });
  const mean = joined.mean.slice(0, d);
  return { dimensions: d, mean, scale, covariance, shares: joined.mean.slice(d), crosses };
}

/** The outputs' logits on raw features; those without a fit stay at their bias. */
function assembled(
  { dimensions, ...scaling }: Indicated,
  bias: Float32Array,
  fits: readonly { readonly output: number; readonly weights: Float64Array; readonly bias: number }[],
): LinearProbe {
  const weights = new Float32Array(bias.length * dimensions);
  for (const fit of fits) {
    const raw = onRawFeature(scaling, fit.weights, fit.bias);
    weights.set(raw.weights, fit.output * dimensions);
    bias[fit.output] = raw.bias;
  }
  return { classes: bias.length, weights, bias };
}

/**
 * One of `classes`: logits w_k.x + b_k with w_k = S_r^-1 mu_k, b_k = -w_k.mu_k/2 + log share_k, where S is the covariance
 * within the classes, all samples together.
 *
 * @param joined moments of features with an indicator of each class behind them
 */
export function fitProbe(joined: Moments, classes: number): LinearProbe {
  const found = indicated(joined, classes);
  const { dimensions: d, covariance, shares, crosses } = found;
  const present = Array.from(shares.keys()).filter((k) => shares[k] > 0);
  const means = present.map((k) => crosses[k].map((value) => value / shares[k]));
  present.forEach((k, at) => {
    const [cross, mean] = [crosses[k], means[at]];
    for (let i = 0; i < d; i++) for (let j = 0; j < d; j++) covariance[i * d + j] -= cross[i] * mean[j];
  });
  shrink(covariance, d);
  const solved = solveSpd(covariance, d, means);
  return assembled(
    found,
    new Float32Array(classes).fill(NEVER),
    present.map((k, at) => {
      const weights = solved[at];
      return { output: k, weights, bias: Math.log(shares[k]) - dot(weights, means[at]) / 2 };
    }),
  );
}

/**
 * Independent bits: the logit of each is the difference of the discriminants of having it and not. The covariance within
 * either side differs from that of all samples by a multiple of the outer product of the means' difference, so one matrix is
 * inverted for all bits (Sherman and Morrison, 1950); it is shrunk before that, by the same ridge for every bit.
 *
 * @param joined moments of features with each bit behind them
 */
export function fitMultiLabelProbe(joined: Moments, bits: number): LinearProbe {
  const found = indicated(joined, bits);
  const { dimensions: d, covariance, shares, crosses } = found;
  shrink(covariance, d);
  const bias = Float32Array.from(shares, (share) => (share > 0 ? -NEVER : NEVER));
  const told = Array.from(shares.keys()).filter((k) => shares[k] > 0 && shares[k] < 1);
  const apart = told.map((k) => crosses[k].map((value) => value / (shares[k] * (1 - shares[k]))));
  const solved = solveSpd(covariance, d, apart);
  return assembled(
    found,
    bias,
    told.map((k, at) => {
      const [on, off] = [shares[k], 1 - shares[k]];
      const length = dot(solved[at], apart[at]);
      const weights = solved[at].map((value) => value / (1 - (1 - SHRINKAGE) * on * off * length));
      return { output: k, weights, bias: Math.log(on / off) - ((off - on) / 2) * dot(weights, apart[at]) };
    }),
  );
}
