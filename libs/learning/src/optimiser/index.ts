/** The optimiser that a recipe names. */
import type { OptimiserConfig, TrainingRecipe } from '@facet/contracts';
import { adam } from './adam.js';
import type { TrainerState } from '../trainer.js';
import { averaged, withAverages } from './average.js';
import { memoryOf, type Optimiser } from './optimiser.js';
import { sgd } from './sgd.js';

export { memoryOf, type Optimiser, type UpdateOptions, type WeightUpdate } from './optimiser.js';

/** The part of a recipe that says how weights move. */
export type Updating = Pick<TrainingRecipe, 'optimiser' | 'clipNorm' | 'averageDecay'>;

const byName = (config: OptimiserConfig): Optimiser => (config.kind === 'sgd' ? sgd(config) : adam(config));

export function optimiserOf({ optimiser, averageDecay }: Updating): Optimiser {
  const own = byName(optimiser);
  return averageDecay === undefined ? own : averaged(own, averageDecay);
}

/** What a network is published with: its weights, averaged where the recipe says so, and its running moments. */
export function publishedState(state: TrainerState, updating: Updating): TrainerState {
  const { memory } = optimiserOf(updating);
  const own = [...withAverages(state)].filter(
    ([name]) => !memory.some((m) => name.startsWith(memoryOf(m, ''))),
  );
  return new Map(own);
}
