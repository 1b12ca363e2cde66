/** `report.json`: the result of an evaluation, for machines. All rates are fractions; null means undefined. */
import { z } from 'zod';
import { FacetSummary } from './features.js';
import { Digest, Name, Ref } from './names.js';
import { EvaluationPlan, NORMS, ObjectiveName } from './plan.js';
import { CLASSES } from './taxonomy.js';

const Rate = z.number().min(0).max(1);
const Interval = z.tuple([Rate, Rate]);

export const CleanReport = z.strictObject({
  split: z.literal('test'),
  samples: z.int(),
  live: z.int(),
  spoof: z.int(),
  threshold: z.number(),
  thresholdSource: z.enum(['dev-eer', 'manifest', 'boundary']),
  accuracy: Rate,
  apcer: Rate.nullable(),
  apcerBySpecies: z.record(z.string(), z.strictObject({ samples: z.int(), apcer: Rate })),
  bpcer: Rate.nullable(),
  acer: Rate.nullable(),
  hter: Rate.nullable(),
  eer: Rate.nullable(),
  auc: Rate.nullable(),
  bpcer10: Rate.nullable(),
  bpcer20: Rate.nullable(),
  bpcer100: Rate.nullable(),
  tprAtFpr: z.record(z.string(), Rate.nullable()),
});
export type CleanReport = z.infer<typeof CleanReport>;

const Success = z.strictObject({ attempted: z.int(), succeeded: z.int(), rate: Rate.nullable() });

export const CellReport = z.strictObject({
  id: z.string(),
  facet: Name,
  objective: ObjectiveName,
  search: z.string(),
  norm: z.enum(NORMS),
  epsilon: z.number(),
  /** Samples attacked; success counts only those whose clean decision was right. */
  samples: z.int(),
  attempted: z.int(),
  succeeded: z.int(),
  attackSuccessRate: Rate.nullable(),
  /** 95 % Wilson score interval of the rate. */
  interval: Interval.nullable(),
  directions: z.strictObject({ spoofAsLive: Success, liveAsSpoof: Success }),
  bySpecies: z.record(z.string(), Success),
  robustApcer: Rate.nullable(),
  robustBpcer: Rate.nullable(),
  robustAuc: Rate.nullable(),
  maxLinf: z.number(),
  meanL2: z.number(),
});
export type CellReport = z.infer<typeof CellReport>;

/** Success against epsilon of one facet and objective, gathered over the epsilons of one search and norm. */
export const FacetCurve = z.strictObject({
  facet: Name,
  objective: ObjectiveName,
  search: z.string(),
  norm: z.enum(NORMS),
  points: z.array(z.strictObject({ epsilon: z.number(), attackSuccessRate: Rate.nullable() })),
  /** Area under success over epsilon from 0 to the largest one, as a fraction of the whole. */
  areaUnderSuccess: Rate.nullable(),
});
export type FacetCurve = z.infer<typeof FacetCurve>;

export const WorstCase = z.strictObject({
  cell: z.string(),
  shard: z.int(),
  key: z.string(),
  label: z.enum(CLASSES),
  species: z.string().nullable(),
  epsilon: z.number(),
  cleanScore: z.number(),
  adversarialScore: z.number(),
});
export type WorstCase = z.infer<typeof WorstCase>;

export const Verdict = z.strictObject({
  policy: Name.nullable(),
  passed: z.boolean(),
  checks: z.array(
    z.strictObject({
      name: z.string(),
      passed: z.boolean(),
      actual: z.number().nullable(),
      limit: z.number(),
    }),
  ),
});
export type Verdict = z.infer<typeof Verdict>;

export const Report = z.strictObject({
  schema: z.literal('facet.report/v1'),
  evaluation: z.string(),
  model: Ref.extend({ sha256: Digest }),
  dataset: Ref.extend({ digest: Digest }),
  plan: EvaluationPlan,
  clean: CleanReport,
  facets: z.array(FacetSummary.extend({ rank: z.int().nullable() })),
  cells: z.array(CellReport),
  curves: z.array(FacetCurve),
  /** Mean over the auxiliary facets of success at each epsilon, by objective: what the priors add. */
  gains: z.array(
    z.strictObject({
      search: z.string(),
      norm: z.enum(NORMS),
      epsilon: z.number(),
      facet: Rate.nullable(),
      sfa: Rate.nullable(),
      control: Rate.nullable(),
      /** `sfa` minus `facet`, in the unit of rates. */
      gain: z.number().nullable(),
    }),
  ),
  worst: z.array(WorstCase),
  verdict: Verdict,
  notes: z.array(z.string()),
  provenance: z.strictObject({
    facet: z.string(),
    seed: z.int(),
    backend: z.string(),
    cpu: z.string(),
    /** Stored images whose decision was computed again by the evaluation service, and how many agreed. */
    recheck: z.strictObject({ images: z.int(), agreed: z.int() }),
  }),
});
export type Report = z.infer<typeof Report>;
