/** Intervals of means of a few repetitions, such as seeds. */
import type { Interval } from './intervals.js';

/** Two-sided 95 % quantiles of Student's t by degrees of freedom, 1 to 30. */
const T_95 = [
  12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.306, 2.2622, 2.2281, 2.201, 2.1788, 2.1604,
  2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.093, 2.086, 2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555,
  2.0518, 2.0484, 2.0452, 2.0423,
];
const Z_95 = 1.96;

/**
 * The 95 % interval of a mean by Student's t, for independent repetitions that are roughly normal; null for fewer than two,
 * which say nothing about their spread.
 */
export function meanInterval(values: readonly number[]): Interval | null {
  const n = values.length;
  if (n < 2) return null;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  const half = (T_95[n - 2] ?? Z_95) * Math.sqrt(variance / n);
  return [mean - half, mean + half];
}
