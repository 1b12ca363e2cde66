/** A training's recipe as data: the same recipe, data and seed give the same weights. */
import { z } from 'zod';
import { AdversarialTraining } from './adversarial.js';
import { Digest, Ref } from './names.js';
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

/** Identity of an evaluation: derived from model, dataset and plan, so that the same question has one answer. */
export const EvaluationId = z.string().regex(/^[a-z0-9][a-z0-9-]{0,99}$/);

/** Weights to begin from, in the store under their digest: safetensors with our names or torchvision's, or an ONNX model. */
export const InitialWeights = z.strictObject({
  sha256: Digest,
  /**
   * How pixels were prepared where they were trained: `imagenet` subtracts and divides by torchvision's mean and std,
   * which moves into the first convolution.
   */
  pixels: z.enum(['unit', 'imagenet']).default('unit'),
});
export type InitialWeights = z.infer<typeof InitialWeights>;

export const TrainingRecipe = z.strictObject({
  schema: z.literal('facet.recipe/v1'),
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1),
  /** Missing where a published model is trained on, which has its layers already. */
  backbone: BackboneName.optional(),
  /** Heads beside the decision; of a published model those that are trained on, all that it has unless given. */
  facets: z.array(z.enum(AUXILIARY_FACETS)).optional(),
  /** Height and width of the network's input; those of the dataset unless given. */
  size: z.int().min(16).max(512).optional(),
  initial: InitialWeights.optional(),
  /**
   * Whether BatchNormalization takes the statistics of each batch, or keeps the published ones. `frozen` suits small
   * datasets and small batches; `batch` unless given, and `frozen` for a published model.
   */
  batchNorm: z.enum(['batch', 'frozen']).optional(),
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
  /**
   * After every epoch the dev split is scored: AUC, in adversarial training its mean with the AUC under the recipe's own
   * attack. The best epoch's weights are published; training ends when none was better for `patience` epochs.
   */
  validation: z.strictObject({ patience: z.int().min(1) }).optional(),
  adversarial: AdversarialTraining.optional(),
});
export type TrainingRecipe = z.infer<typeof TrainingRecipe>;

/** What a training was asked for: the recipe, its data, and the name under which the network is published. */
export const TrainingRequest = z
  .strictObject({
    model: Ref,
    dataset: Ref,
    recipe: TrainingRecipe,
    /** The published model that is trained on. */
    parent: Ref.optional(),
    /** An evaluation whose adversarial images are trained on beside the dataset's. */
    evaluation: EvaluationId.optional(),
  })
  .superRefine(({ recipe, parent }, context) => {
    const issue = (field: keyof TrainingRecipe, message: string) =>
      context.addIssue({ code: 'custom', path: ['recipe', field], message });
    if (parent === undefined) {
      if (recipe.backbone === undefined)
        issue('backbone', 'is missing; only a published model that is trained on has layers of its own');
      if (recipe.batchNorm === 'frozen' && recipe.initial === undefined)
        issue('batchNorm', 'is frozen, and there are no statistics to keep: give initial weights');
    } else {
      for (const field of ['backbone', 'initial', 'size'] as const)
        if (recipe[field] !== undefined) issue(field, 'goes with a new network, not with a published model');
    }
  });
export type TrainingRequest = z.infer<typeof TrainingRequest>;

/** What the dev split says of an epoch. */
export const Validation = z.strictObject({
  auc: z.number().min(0).max(1).nullable(),
  /** Of the recipe's own attack; null without one. */
  robustAuc: z.number().min(0).max(1).nullable(),
});
export type Validation = z.infer<typeof Validation>;

/** `trainings/<id>/history.json`: how a training went, by epoch. */
export const TrainingHistory = z.strictObject({
  schema: z.literal('facet.training-history/v1'),
  epochs: z.array(
    z.strictObject({
      epoch: z.int().min(1),
      /** Steps that were done at its end. */
      step: z.int().min(1),
      learningRate: z.number(),
      /** Of adversarial training, at its end. */
      epsilon: z.number().nullable(),
      /** Means over the epoch's steps, unweighted, by loss. */
      losses: z.record(z.string(), z.number()),
      validation: Validation.nullable(),
    }),
  ),
  /** The epoch whose weights are the result; the last one without validation. */
  best: z.int().min(0),
});
export type TrainingHistory = z.infer<typeof TrainingHistory>;
export type EpochRecord = TrainingHistory['epochs'][number];
