/** `harden.json`: a model and what adversarial training made of it, side by side. Rates are fractions. */
import { z } from 'zod';
import { Digest, Ref } from './names.js';
import { Change } from './report.js';
import { TrainingHistory, TrainingRecipe } from './training.js';

const Rate = z.number().min(0).max(1).nullable();

/** One model on one dataset's test split. */
const Figures = z.strictObject({
  auc: Rate,
  /** At equal error on the dataset's dev split, or on the test split itself where there is no dev split. */
  accuracy: Rate,
  apcer: Rate,
  bpcer: Rate,
  /** By species that the train split does not hold: share of attacks that are taken for live. */
  unseenApcer: z.record(z.string(), Rate),
});
export type HardeningFigures = z.infer<typeof Figures>;

const Pair = z.strictObject({ parent: Figures, hardened: Figures });

const AttackFigures = z.strictObject({
  /** Share of right decisions that the attack turns, at the calibrated threshold. */
  success: Rate,
  robustAuc: Rate,
});

export const HardeningReport = z.strictObject({
  schema: z.literal('facet.hardening/v1'),
  parent: Ref.extend({ sha256: Digest }),
  hardened: Ref.extend({ sha256: Digest }),
  recipe: TrainingRecipe,
  history: TrainingHistory,
  splits: z.array(
    z.strictObject({
      /** `test`: the dataset's own; `shifted`: the same task under another camera. */
      name: z.enum(['test', 'shifted']),
      dataset: Ref,
      thresholdSplit: z.enum(['dev', 'test']).nullable(),
      clean: Pair,
      /** Of the AUC, paired by sample. */
      aucChange: Change,
      attacks: z.array(
        z.strictObject({
          cell: z.string(),
          facet: z.string(),
          objective: z.string(),
          search: z.string(),
          norm: z.string(),
          epsilon: z.number(),
          parent: AttackFigures,
          hardened: AttackFigures,
        }),
      ),
      /** Reports of the two evaluations, by their ids. */
      evaluations: z.strictObject({ parent: z.string(), hardened: z.string() }),
    }),
  ),
  notes: z.array(z.string()),
  provenance: z.strictObject({ facet: z.string(), backend: z.string(), cpu: z.string() }),
});
export type HardeningReport = z.infer<typeof HardeningReport>;
