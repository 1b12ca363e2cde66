/** What the features service leaves behind for an evaluation: the frozen threshold and what each facet offers. */
import { z } from 'zod';
import { Digest, FacetName } from './names.js';

/**
 * How a facet is attacked. `head`: through the model's own head. `probe`: through a linear probe fitted on its
 * feature. `tensor`: by distance from the clean feature.
 */
export const FacetSource = z.enum(['head', 'probe', 'tensor']);
export type FacetSource = z.infer<typeof FacetSource>;

export const FacetSummary = z.strictObject({
  facet: FacetName,
  source: FacetSource,
  feature: z.string(),
  dimensions: z.int().positive(),
  /** Balanced accuracy of the prior's linear probe on the dev split; null without a prior. */
  probeAccuracy: z.number().min(0).max(1).nullable(),
  /**
   * Balanced accuracy on dev of the probe that stands in for a missing head, on the facet's own labels (mean over bits);
   * null where dev does not label the facet, absent where no probe was fitted.
   */
  labelAccuracy: z.number().min(0).max(1).nullable().optional(),
  /** Train samples per class that the prior stands on; null without a prior. */
  priorSamples: z.strictObject({ live: z.int(), spoof: z.int() }).nullable(),
  /** Why there is no prior, in words for the report. */
  withoutPrior: z.string().optional(),
});
export type FacetSummary = z.infer<typeof FacetSummary>;

/** `features/<model>/<version>/<dataset>/<version>/<digest>/features.json`; its tensors lie beside it in `priors.safetensors`. */
export const Features = z.strictObject({
  schema: z.literal('facet.features/v1'),
  modelDigest: Digest,
  datasetDigest: Digest,
  threshold: z.strictObject({
    value: z.number(),
    /** Where it comes from: equal error rate on dev, the manifest, or the model's own decision boundary. */
    source: z.enum(['dev-eer', 'manifest', 'boundary']),
    samples: z.int().min(0),
  }),
  texture: z.string(),
  facets: z.array(FacetSummary),
  /** Facets, the decision among them, whose own loss has no gradient in the pixels: the node that is in the way. */
  withoutGradient: z.record(FacetName, z.string()).optional(),
  notes: z.array(z.string()),
});
export type Features = z.infer<typeof Features>;
