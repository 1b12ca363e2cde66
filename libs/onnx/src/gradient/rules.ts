/** The rule of every operator that can be differentiated. */
import { ACTIVATION_RULES } from './activation.js';
import { AVERAGE_POOL_RULES } from './average-pool.js';
import { CONVOLUTION_RULES } from './convolution.js';
import { ELEMENTWISE_RULES } from './elementwise.js';
import { EXTREMUM_RULES } from './extremum.js';
import { INDEXING_RULES } from './indexing.js';
import { LAYOUT_RULES } from './layout.js';
import { MATMUL_RULES } from './matmul.js';
import { MAX_POOL_RULES } from './max-pool.js';
import { NORMALISATION_RULES } from './normalisation.js';
import { REDUCTION_RULES } from './reduction.js';
import { RESIZE_RULES } from './resize.js';
import type { Rule } from './rule.js';

export const RULES: ReadonlyMap<string, Rule> = new Map(
  Object.entries({
    ...ELEMENTWISE_RULES,
    ...EXTREMUM_RULES,
    ...ACTIVATION_RULES,
    ...CONVOLUTION_RULES,
    ...MATMUL_RULES,
    ...NORMALISATION_RULES,
    ...MAX_POOL_RULES,
    ...AVERAGE_POOL_RULES,
    ...REDUCTION_RULES,
    ...LAYOUT_RULES,
    ...INDEXING_RULES,
    ...RESIZE_RULES,
  }),
);
