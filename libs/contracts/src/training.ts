/** A training's recipe as data: the same recipe, data and seed give the same weights. */
import { z } from 'zod';
import { Ref } from './names.js';
import { AUXILIARY_FACETS } from './taxonomy.js';

/** Backbones that train on a CPU: at most half a million parameters with every facet. */
export const SMALL_BACKBONES = ['vgg-small', 'resnet-small', 'densenet-small', 'swin-micro'] as const;
/** The published architectures, for 224x224 and a GPU. */
export const STANDARD_BACKBONES = ['vgg-16', 'resnet-18', 'resnet-50', 'densenet-121', 'swin-t'] as const;
export const BackboneName = z.enum([...SMALL_BACKBONES, ...STANDARD_BACKBONES]);
export type BackboneName = z.infer<typeof BackboneName>;

const Beta = z.number().min(0).lt(1);

/** How weights move. Names and defaults are PyTorch's; decay applies to matrices and kernels only. */
export const OptimiserConfig = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('sgd'),
    momentum: Beta.default(0.9),
    nesterov: z.boolean().default(false),
    weightDecay: z.number().min(0).max(1).default(0),
  }),
  z.strictObject({
    kind: z.enum(['adam', 'adamw']),
    beta1: Beta.default(0.9),
    beta2: Beta.default(0.999),
    epsilon: z.number().positive().default(1e-8),
    weightDecay: z.number().min(0).max(1).default(0),
  }),
]);
export type OptimiserConfig = z.infer<typeof OptimiserConfig>;

/** The learning rate behind its warm-up: it stays, falls along half a cosine to zero, or falls in steps. */
export const LearningRateSchedule = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('constant') }),
  z.strictObject({ kind: z.literal('cosine') }),
  z.strictObject({
    kind: z.literal('steps'),
    /** Shares of all steps after which the rate is multiplied by `factor`. */
    at: z.array(z.number().gt(0).lt(1)).min(1),
    factor: z.number().gt(0).lt(1).default(0.1),
  }),
]);
export type LearningRateSchedule = z.infer<typeof LearningRateSchedule>;

export const TrainingRecipe = z.strictObject({
  schema: z.literal('facet.recipe/v1'),
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1),
  backbone: BackboneName,
  facets: z.array(z.enum(AUXILIARY_FACETS)),
  epochs: z.int().min(1).max(10_000),
  batch: z.int().min(2).max(4096),
  /**
   * Parts of a batch whose gradients are averaged, each with its own batch statistics. They belong to the result, unlike
   * workers: more parts than workers are worked off one after the other, which accumulates gradients in less memory.
   */
  parts: z.int().min(1).max(64),
  learningRate: z.number().positive(),
  optimiser: OptimiserConfig,
  /** Steps over which the learning rate rises linearly from almost zero. */
  warmupSteps: z.int().min(0),
  schedule: LearningRateSchedule.default({ kind: 'cosine' }),
  /** The Euclidean length that the gradient of all weights together may have; longer ones are shortened. */
  clipNorm: z.number().positive().optional(),
  /** Publishes an exponential moving average of the weights; the share of it that stays in every step. */
  averageDecay: Beta.optional(),
  lossWeights: z.partialRecord(z.enum(['live', ...AUXILIARY_FACETS]), z.number().min(0)).default({}),
  /** Steps between checkpoints. */
  checkpointSteps: z.int().min(1).default(50),
});
export type TrainingRecipe = z.infer<typeof TrainingRecipe>;

/** What a training was asked for: the recipe, its data, and the name under which the network is published. */
export const TrainingRequest = z.strictObject({ model: Ref, dataset: Ref, recipe: TrainingRecipe });
export type TrainingRequest = z.infer<typeof TrainingRequest>;
