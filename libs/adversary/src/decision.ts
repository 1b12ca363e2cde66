/**
 * The decision's score: high for live, whatever the model's output looks like. Class scores become log-odds
 * (live against all else), which do not saturate as probabilities do; a map becomes its mean.
 */
import type { ModelOutput } from '@facet/contracts';

/** Below it a probability's logarithm is not taken: a float32 softmax gives exact zeros. */
const PROBABILITY_FLOOR = 1e-12;

function logSumExp(values: readonly number[]): number {
  const top = Math.max(...values);
  return top + Math.log(values.reduce((sum, value) => sum + Math.exp(value - top), 0));
}

const logOdds = (p: number): number =>
  Math.log(Math.max(p, PROBABILITY_FLOOR) / Math.max(1 - p, PROBABILITY_FLOOR));

/**
 * Scores of `n` samples from the decision tensor ([n, classes], [n], [n, 1] or a map [n, ...]).
 * Errors: RangeError where the tensor is not `n` rows of the size that the manifest promises.
 */
export function scoresOf(output: ModelOutput, data: Float32Array, n: number): Float64Array {
  const row = data.length / n;
  const wanted = 'classes' in output ? output.classes : output.kind === 'map' ? row : 1;
  if (row !== wanted || !Number.isInteger(row))
    throw new RangeError(`output ${output.name} has ${row} values per sample, the manifest says ${wanted}`);
  const spoof =
    'classes' in output
      ? Array.from({ length: row }, (_, i) => i).filter((i) => !output.live.includes(i))
      : [];
  const score = (values: Float32Array): number => {
    const at = (classes: readonly number[]): number[] => classes.map((i) => values[i]);
    switch (output.kind) {
      case 'logits':
        return logSumExp(at(output.live)) - logSumExp(at(spoof));
      case 'probabilities':
        return logOdds(output.live.reduce((sum, i) => sum + values[i], 0));
      case 'logit':
        return output.high === 'live' ? values[0] : -values[0];
      case 'sigmoid':
        return output.high === 'live' ? logOdds(values[0]) : -logOdds(values[0]);
      case 'map': {
        const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
        return output.high === 'live' ? mean : -mean;
      }
    }
  };
  return Float64Array.from({ length: n }, (_, i) => score(data.subarray(i * row, (i + 1) * row)));
}

/** The model's own decision boundary as a score, where no threshold was found on data: even odds, or half. */
export function boundaryOf(output: ModelOutput): number {
  if (output.kind !== 'map') return 0;
  return output.high === 'live' ? 0.5 : -0.5;
}

/** @param label 0 live, 1 spoof; scores from the threshold on are decided as live */
export const decidedWrongly = (score: number, label: number, threshold: number): boolean =>
  score >= threshold !== (label === 0);
