/**
 * A linear probe that stands in for a missing head: linear discriminant analysis (Fisher, 1936) with the prior's
 * shrinkage, so that it has a closed form and no randomness.
 */
import type { Moments } from './moments.js';
import { solveSpd } from './solve.js';
import { onRawFeature, standardise } from './standardise.js';

/** Logits of `classes` outputs: weights [classes, dimensions] row-major, bias [classes], on raw features. */
export interface LinearProbe {
  readonly classes: number;
  readonly weights: Float32Array;
  readonly bias: Float32Array;
}

/** A class without samples gets this logit: it is never predicted. */
const NEVER = -1e4;

/** Class logits w_k.x + b_k with w_k = S_r^-1 mu_k, b_k = -w_k.mu_k/2 + log share_k. */
export function fitProbe(classes: readonly Moments[]): LinearProbe {
  const d = classes[0].dimensions;
  const present = classes.filter((c) => c.count > 0);
  const standard = standardise(present);
  const solved = solveSpd(standard.covariance, d, standard.classMeans);
  const total = present.reduce((sum, c) => sum + c.count, 0);
  const weights = new Float32Array(classes.length * d);
  const bias = new Float32Array(classes.length).fill(NEVER);
  present.forEach((moments, i) => {
    const half = solved[i].reduce((sum, w, j) => sum + w * standard.classMeans[i][j], 0) / 2;
    const raw = onRawFeature(standard, solved[i], Math.log(moments.count / total) - half);
    const k = classes.indexOf(moments);
    weights.set(raw.weights, k * d);
    bias[k] = raw.bias;
  });
  return { classes: classes.length, weights, bias };
}

/** Independent bits: the logit of each is the difference of the two classes' discriminants. */
export function fitMultiLabelProbe(bits: readonly { off: Moments; on: Moments }[]): LinearProbe {
  const d = bits[0].off.dimensions;
  const weights = new Float32Array(bits.length * d);
  const bias = new Float32Array(bits.length);
  bits.forEach(({ off, on }, k) => {
    if (off.count === 0 || on.count === 0) {
      bias[k] = on.count === 0 ? NEVER : -NEVER;
      return;
    }
    const pair = fitProbe([off, on]);
    for (let i = 0; i < d; i++) weights[k * d + i] = pair.weights[d + i] - pair.weights[i];
    bias[k] = pair.bias[1] - pair.bias[0];
  });
  return { classes: bits.length, weights, bias };
}
