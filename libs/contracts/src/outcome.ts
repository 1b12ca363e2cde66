/** What one attack did to one sample: a row of a shard's Parquet file. Judged on the stored 8-bit image. */
import { z } from 'zod';
import { CLASSES } from './taxonomy.js';

export const Outcome = z.strictObject({
  key: z.string(),
  label: z.enum(CLASSES),
  /** PAI species, where the dataset knows it. */
  species: z.string().nullable(),
  illumination: z.string().nullable(),
  cleanScore: z.number(),
  adversarialScore: z.number(),
  /** The clean decision at the frozen threshold was right. */
  correct: z.boolean(),
  /** The clean decision was right and the adversarial one is wrong. */
  fooled: z.boolean(),
  /** Largest change of a pixel value, as a fraction of the range. */
  linf: z.number(),
  /** Root of the mean squared change per pixel value, as a fraction of the range. */
  l2: z.number(),
});
export type Outcome = z.infer<typeof Outcome>;

/** What the model says of a clean image, and what is known of it: a row of the features' `scores.parquet`. */
export const CleanScore = z.strictObject({
  key: z.string(),
  split: z.enum(['dev', 'test']),
  label: z.enum(CLASSES),
  species: z.string().nullable(),
  illumination: z.string().nullable(),
  /** One 0 or 1 per attribute, in the order of `ATTRIBUTES`. */
  attributes: z.string().nullable(),
  subject: z.string().nullable(),
  /** High for live. */
  score: z.number(),
});
export type CleanScore = z.infer<typeof CleanScore>;
