/** The optimiser that a recipe names. */
import type { OptimiserConfig, TrainingRecipe } from '@facet/contracts';
import { adam } from './adam.js';
import { averaged } from './average.js';
import type { Optimiser } from './optimiser.js';
import { sgd } from './sgd.js';

export { withAverages } from './average.js';
export { memoryOf, type Optimiser, type UpdateOptions, type WeightUpdate } from './optimiser.js';

/** The part of a recipe that says how weights move. */
export type Updating = Pick<TrainingRecipe, 'optimiser' | 'clipNorm' | 'averageDecay'>;

const byName = (config: OptimiserConfig): Optimiser => (config.kind === 'sgd' ? sgd(config) : adam(config));

export function optimiserOf({ optimiser, averageDecay }: Updating): Optimiser {
  const own = byName(optimiser);
  return averageDecay === undefined ? own : averaged(own, averageDecay);
}
