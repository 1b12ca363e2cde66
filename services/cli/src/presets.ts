/** Plans, recipes and datasets that have a name. */
import type { DatasetSource, EvaluationPlan, TrainingRecipe } from '@facet/contracts';

const LINF = (levels: number) => ({ norm: 'linf' as const, epsilon: levels / 255 });
const L2 = (levels: number) => ({ norm: 'l2' as const, epsilon: levels / 255 });
const FGSM = { name: 'fgsm' as const };
const PGD_10 = { name: 'pgd' as const, steps: 10, restarts: 1 };

/** What `facet evaluate` runs unless a plan is given. */
export const defaultPlan = (seed: number): EvaluationPlan => ({
  schema: 'facet.plan/v1',
  name: 'default',
  seed,
  samples: 192,
  batch: 32,
  shard: 64,
  priorSamples: 1000,
  attacks: [
    { facets: 'all', objectives: ['direct', 'facet', 'sfa'], searches: [FGSM], threats: [LINF(2), LINF(8)] },
    {
      facets: 'all',
      objectives: ['direct', 'facet', 'sfa'],
      searches: [PGD_10],
      threats: [LINF(1), LINF(2), LINF(4), LINF(8)],
    },
    { facets: 'all', objectives: ['direct', 'facet', 'sfa'], searches: [PGD_10], threats: [L2(1)] },
    { facets: 'all', objectives: ['prior-only', 'control'], searches: [PGD_10], threats: [LINF(2)] },
  ],
});

/** The default plan for the demo's three minutes: fewer samples, and no budget at which everything falls. */
const demoPlan = (seed: number): EvaluationPlan => ({
  ...defaultPlan(seed),
  name: 'demo',
  samples: 128,
  attacks: [
    { facets: 'all', objectives: ['direct', 'facet', 'sfa'], searches: [FGSM], threats: [LINF(2)] },
    {
      facets: 'all',
      objectives: ['direct', 'facet', 'sfa'],
      searches: [PGD_10],
      threats: [L2(1), LINF(1), LINF(2), LINF(4)],
    },
    { facets: 'all', objectives: ['prior-only', 'control'], searches: [PGD_10], threats: [LINF(2)] },
  ],
});

/** The shape of the default plan, in seconds. */
export const quickPlan = (seed: number): EvaluationPlan => ({
  ...defaultPlan(seed),
  name: 'quick',
  samples: 96,
  shard: 48,
  batch: 48,
  priorSamples: 300,
  attacks: [
    {
      facets: 'all',
      objectives: ['direct', 'facet', 'sfa'],
      searches: [PGD_10],
      threats: [LINF(1), LINF(2)],
    },
    { facets: 'all', objectives: ['control'], searches: [PGD_10], threats: [LINF(2)] },
  ],
});

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
  momentum: 0.9,
  weightDecay: 5e-4,
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
    ? { dataset: synthetic(seed, 1024, 256, 256), recipe: recipe(seed, 8), plan: quickPlan(seed) }
    : { dataset: synthetic(seed, 3072, 512, 512), recipe: recipe(seed, 14), plan: demoPlan(seed) };
