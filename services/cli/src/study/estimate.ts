/** Means over seeds, or over pairs of networks. */
import type { Estimate } from '@facet/contracts';
import { meanInterval } from '@facet/metrics';

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** null where there is nothing to estimate from. */
export const estimate = (values: readonly number[]): Estimate | null =>
  values.length === 0 ? null : { mean: mean(values), interval: meanInterval(values), values: [...values] };
