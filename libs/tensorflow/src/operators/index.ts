/** Every operator that has a rule. */
import type { Operators } from '../call.js';
import { ACTIVATIONS } from './activations.js';
import { ARITHMETIC } from './arithmetic.js';
import { CONVOLUTION } from './convolution.js';
import { INDEXING } from './indexing.js';
import { MATRIX } from './matrix.js';
import { NORMALIZATION } from './normalization.js';
import { POOLING } from './pooling.js';
import { REDUCTION } from './reduction.js';
import { RESIZE } from './resize.js';
import { SHAPE } from './shape.js';

export const OPERATORS: Operators = {
  ...ACTIVATIONS,
  ...ARITHMETIC,
  ...CONVOLUTION,
  ...INDEXING,
  ...MATRIX,
  ...NORMALIZATION,
  ...POOLING,
  ...REDUCTION,
  ...RESIZE,
  ...SHAPE,
};
