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
  /** Data-parallel parts of a batch, each with its own batch statistics; part of the result, unlike workers. */
  parts: z.int().min(1).max(64),
  learningRate: z.number().positive(),
  momentum: z.number().min(0).max(1),
  weightDecay: z.number().min(0).max(1),
  warmupSteps: z.int().min(0),
  lossWeights: z.partialRecord(z.enum(['live', ...AUXILIARY_FACETS]), z.number().min(0)).default({}),
  /** Steps between checkpoints. */
  checkpointSteps: z.int().min(1).default(50),
});
export type TrainingRecipe = z.infer<typeof TrainingRecipe>;

/** What a training was asked for: the recipe, its data, and the name under which the network is published. */
export const TrainingRequest = z.strictObject({ model: Ref, dataset: Ref, recipe: TrainingRecipe });
export type TrainingRequest = z.infer<typeof TrainingRequest>;
