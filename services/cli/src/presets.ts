/** Recipes and datasets that have a name. */
import { type DatasetSource, EvaluationPlan, TrainingRecipe } from '@facet/contracts';
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

/** Of the budget that a model is to withstand: what it is trained against, since it withstands less than that. */
const TRAINED_BEYOND = 1.5;

/**
 * Training on by one-step attacks from a random start on half of every batch, beyond the budget that is to be withstood.
 * BatchNormalization takes each batch's statistics: with the published ones frozen, as many steps at the rate that they then
 * bear learnt two thirds of it (docs/guide/hardening.md).
 */
export const hardenRecipe = (seed: number, epsilon: number): TrainingRecipe =>
  TrainingRecipe.parse({
    schema: 'facet.recipe/v1',
    seed,
    batchNorm: 'batch',
    epochs: 12,
    batch: 32,
    parts: 2,
    learningRate: 0.05,
    optimiser: { kind: 'sgd', momentum: 0.9, weightDecay: 5e-4 },
    warmupSteps: 20,
    clipNorm: 5,
    checkpointSteps: 100,
    adversarial: {
      threat: { norm: 'linf', epsilon: Math.min(1, TRAINED_BEYOND * epsilon) },
      warmupSteps: 100,
    },
  });

/** The attack on the decision at half, once and twice the epsilon that is to be withstood. */
export const hardenPlan = (seed: number, epsilon: number): EvaluationPlan =>
  EvaluationPlan.parse({
    schema: 'facet.plan/v1',
    name: 'harden',
    seed,
    samples: 512,
    batch: 16,
    shard: 64,
    attacks: [
      {
        facets: ['live'],
        objectives: ['direct'],
        searches: [{ name: 'pgd', steps: 10 }],
        threats: [0.5, 1, 2].map((times) => ({ norm: 'linf', epsilon: Math.min(1, times * epsilon) })),
      },
    ],
  });
