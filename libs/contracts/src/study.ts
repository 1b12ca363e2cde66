/**
 * The paper's question as data: which backbone, and which auxiliary features beside the decision, make a detector hard to
 * attack. Every backbone is trained with every set of features under every seed, and all are evaluated by one plan.
 */
import { z } from 'zod';
import { AdversarialTraining } from './adversarial.js';
import { Name, Ref } from './names.js';
import { EvaluationPlan } from './plan.js';
import { AUXILIARY_FACETS, SPOOF_TYPES } from './taxonomy.js';
import { BackboneName, SMALL_BACKBONES, TrainingRecipe } from './training.js';

const SEED_LIMIT = 2 ** 32 - 1;

/** A recipe without what the study itself varies. */
const StudyRecipe = TrainingRecipe.omit({ schema: true, seed: true, backbone: true, facets: true });

export const Study = z.strictObject({
  schema: z.literal('facet.study/v1'),
  name: Name,
  backbones: z
    .array(BackboneName)
    .min(1)
    .default([...SMALL_BACKBONES]),
  /** Sets of auxiliary facets; none, each alone and all together unless given. */
  features: z
    .array(z.array(z.enum(AUXILIARY_FACETS)))
    .min(1)
    .default([[], ...AUXILIARY_FACETS.map((facet) => [facet]), [...AUXILIARY_FACETS]]),
  /** Of initial weights and batches. Differences between networks are only told from noise with two or more. */
  seeds: z.array(z.int().min(0).max(SEED_LIMIT)).min(1).max(100),
  dataset: z.strictObject({
    seed: z.int().min(0).max(SEED_LIMIT).default(0),
    size: z.int().min(16).max(512),
    samples: z.strictObject({ train: z.int().min(1), dev: z.int().min(1), test: z.int().min(1) }),
    /** Species that only the test split holds. */
    heldOut: z
      .array(z.enum(SPOOF_TYPES).exclude(['live']))
      .min(1)
      .optional(),
  }),
  recipe: StudyRecipe,
  /** Whole recipes of backbones that want another one: a transformer, another optimiser than a convolutional network. */
  recipes: z.partialRecord(BackboneName, StudyRecipe).default({}),
  /**
   * Adversarial trainings that are compared, by name, null for none: every network is trained by each instead of by its
   * recipe's own, and is evaluated under another camera, too.
   */
  defences: z.record(Name, AdversarialTraining.nullable()).optional(),
  plan: EvaluationPlan,
});
export type Study = z.infer<typeof Study>;

/** A mean over seeds (or pairs of networks), and its 95 % interval by Student's t; null with a single one. */
export const Estimate = z.strictObject({
  mean: z.number(),
  interval: z.tuple([z.number(), z.number()]).nullable(),
  values: z.array(z.number()),
});
export type Estimate = z.infer<typeof Estimate>;

const Figures = z.strictObject({
  accuracy: z.number(),
  auc: z.number().nullable(),
  /** Area under success of the attack on the decision: what networks are ranked by, lower is harder to attack. */
  vulnerability: z.number().nullable(),
  /** Of that attack at the smallest epsilon. */
  robustAuc: z.number().nullable(),
  /** Means over the auxiliary facets at the largest epsilon at which they were attacked; null without any. */
  facet: z.number().nullable(),
  sfa: z.number().nullable(),
  control: z.number().nullable(),
  gain: z.number().nullable(),
});
export type StudyFigures = z.infer<typeof Figures>;

/** What a defence costs and what it buys, of one network or as estimates over seeds. Rates at thresholds of equal error on dev. */
const defended = <T extends z.ZodType>(figure: T) =>
  z.strictObject({
    /** AUC of live against the species of the train split, on the test split. */
    clean: figure,
    /** The same under another camera. */
    shifted: figure,
    /** AUC of live against the species that the train split does not hold. */
    unseen: figure,
    /** Under the attack on the decision, smallest epsilon first. */
    attacked: z.array(z.strictObject({ epsilon: z.number(), auc: figure, success: figure })),
    /** Success of SFA, the mean over the auxiliary facets at the largest epsilon at which they were attacked. */
    sfa: figure,
  });
const Defended = defended(z.number().nullable());
export type DefendedFigures = z.infer<typeof Defended>;

/** A difference to be told from noise: negative is harder to attack. */
const Effect = z.strictObject({
  name: z.string(),
  /** Mean difference of vulnerability, over networks that are alike but for this. */
  difference: Estimate.nullable(),
  change: z.enum(['harder', 'easier', 'within-noise', 'unknown', 'reference']),
});
export type StudyEffect = z.infer<typeof Effect>;

export const StudyReport = z.strictObject({
  schema: z.literal('facet.study-report/v1'),
  study: Study,
  /** Search, norm and epsilons of the attack on the decision. */
  attack: z.strictObject({ search: z.string(), norm: z.string(), epsilons: z.array(z.number()) }),
  networks: z.array(
    z.strictObject({
      model: Ref,
      evaluation: z.string(),
      backbone: BackboneName,
      features: z.string(),
      seed: z.int(),
      figures: Figures,
      /** Of studies with defences. */
      defence: Name.optional(),
      defended: Defended.optional(),
    }),
  ),
  /** Hardest to attack first. */
  combinations: z.array(
    z.strictObject({
      backbone: BackboneName,
      features: z.string(),
      defence: Name.optional(),
      vulnerability: Estimate.nullable(),
      accuracy: Estimate,
      auc: Estimate.nullable(),
      robustAuc: Estimate.nullable(),
      facet: Estimate.nullable(),
      sfa: Estimate.nullable(),
      control: Estimate.nullable(),
      gain: Estimate.nullable(),
    }),
  ),
  /** Each backbone against the mean of all backbones, paired by features, defence and seed. Hardest to attack first. */
  backbones: z.array(Effect),
  /** Each set of features against none, paired by backbone, defence and seed. Hardest to attack first. */
  features: z.array(Effect),
  /** In the study's order; empty without defences. */
  defences: z.array(
    defended(Estimate.nullable()).extend({
      backbone: BackboneName,
      features: z.string(),
      defence: Name,
      /** By the means over seeds no other defence of the network is better both clean and under attack at every epsilon. */
      efficient: z.boolean(),
    }),
  ),
  notes: z.array(z.string()),
  provenance: z.strictObject({ facet: z.string(), backend: z.string(), cpu: z.string() }),
});
export type StudyDefence = StudyReport['defences'][number];
export type StudyReport = z.infer<typeof StudyReport>;
