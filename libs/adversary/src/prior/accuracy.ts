/** How well the prior's direction separates live from spoof: what a reader must know beside every result. */
import { priorValue, type LinearPrior } from './prior.js';

/** Mean of the two classes' accuracies over features [n, d]; null where a class is missing. */
export function balancedAccuracy(
  prior: LinearPrior,
  features: Float32Array,
  labels: Uint8Array,
): number | null {
  const d = prior.weights.length;
  const right = [0, 0];
  const seen = [0, 0];
  labels.forEach((label, i) => {
    seen[label]++;
    const spoof = priorValue(prior, features.subarray(i * d, (i + 1) * d)) > 0 ? 1 : 0;
    if (spoof === label) right[label]++;
  });
  if (seen[0] === 0 || seen[1] === 0) return null;
  return (right[0] / seen[0] + right[1] / seen[1]) / 2;
}
