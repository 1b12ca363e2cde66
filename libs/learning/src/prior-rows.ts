/** The train samples that priors are fitted to at a step: another draw at every refresh. */
import { Random } from '@facet/random';

/** Ascending. */
export const priorRows = (n: number, count: number, seed: number, step: number): Uint32Array =>
  new Random(seed, 'priors', step).permutation(n).slice(0, Math.min(n, count)).sort();
