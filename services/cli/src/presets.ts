/** Recipes and datasets that have a name. */
import type { DatasetSource, EvaluationPlan, TrainingRecipe } from '@facet/contracts';
import { preset } from '@facet/plans';

export interface DemoSize {
  readonly dataset: Extract<DatasetSource, { kind: 'synthetic' }>;
  readonly recipe: TrainingRecipe;
  readonly plan: EvaluationPlan;
}

const recipe = (seed: number, epochs: number): TrainingRecipe => ({
  schema: 'facet.recipe/v1',
  seed,
  backbone: 'resnet-small',
  facets: ['attributes', 'spoof-type', 'illumination', 'depth', 'reflection'],
  epochs,
  batch: 32,
  parts: 2,
  learningRate: 0.1,
  optimiser: { kind: 'sgd', momentum: 0.9, nesterov: false, weightDecay: 5e-4 },
  schedule: { kind: 'cosine' },
  warmupSteps: 40,
  // Bits and maps average over many outputs; so weighted they learn as fast as the single classes.
  lossWeights: { attributes: 5, depth: 4, reflection: 4 },
  checkpointSteps: 100,
});

const synthetic = (seed: number, train: number, dev: number, test: number): DemoSize['dataset'] => ({
  kind: 'synthetic',
  seed,
  size: 64,
  samples: { train, dev, test },
  variant: 'standard',
  heldOut: [],
});

export const demoSize = (seed: number, quick: boolean): DemoSize =>
  quick
    ? { dataset: synthetic(seed, 1024, 256, 256), recipe: recipe(seed, 8), plan: preset('quick', seed) }
    : { dataset: synthetic(seed, 3072, 512, 512), recipe: recipe(seed, 14), plan: preset('demo', seed) };
