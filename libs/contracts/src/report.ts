/** `report.json`: the result of an evaluation, for machines. All rates are fractions; null means undefined. */
import { z } from 'zod';
import { FacetSummary } from './features.js';
import { Digest, Name, Ref } from './names.js';
import { EvaluationPlan, NORMS, ObjectiveName } from './plan.js';
import { CLASSES } from './taxonomy.js';

const Rate = z.number().min(0).max(1);
/** All intervals hold 95 %. */
const Interval = z.tuple([Rate, Rate]);
/** Of a difference of rates. */
const DifferenceInterval = z.tuple([z.number(), z.number()]);

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
  /** Bootstrap over subjects, or samples where no subject is known; so are all others but those of rates. */
  aucInterval: Interval.nullable(),
  /**
   * The same at the threshold of equal error on a clean split of the model's own, at which models compare: `dev` where it
   * has both classes, else the test split itself. null where neither has.
   */
  calibrated: z
    .strictObject({
      threshold: z.number(),
      split: z.enum(['dev', 'test']),
      accuracy: Rate.nullable(),
      apcer: Rate.nullable(),
      bpcer: Rate.nullable(),
    })
    .nullable(),
  bpcer10: Rate.nullable(),
  bpcer20: Rate.nullable(),
  bpcer100: Rate.nullable(),
  tprAtFpr: z.record(z.string(), Rate.nullable()),
});
export type CleanReport = z.infer<typeof CleanReport>;

const Success = z.strictObject({ attempted: z.int(), succeeded: z.int(), rate: Rate.nullable() });
export type Success = z.infer<typeof Success>;

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
  byIllumination: z.record(z.string(), Success),
  /** People with an attribute against those without; only where both groups are large enough to be compared. */
  byAttribute: z.record(z.string(), z.strictObject({ present: Success, absent: Success })),
  robustApcer: Rate.nullable(),
  robustBpcer: Rate.nullable(),
  robustAuc: Rate.nullable(),
  robustAucInterval: Interval.nullable(),
  /** At the clean report's calibrated threshold; a lower bound, since the attack aimed at the frozen one. */
  calibrated: z
    .strictObject({
      attackSuccessRate: Rate.nullable(),
      robustApcer: Rate.nullable(),
      robustBpcer: Rate.nullable(),
    })
    .nullable(),
  maxLinf: z.number(),
  meanL2: z.number(),
});
export type CellReport = z.infer<typeof CellReport>;

/** A cell that has no figures, since shards of it were given up: its model killed whoever attacked it, for instance. */
export const FailedCell = CellReport.pick({
  id: true,
  facet: true,
  objective: true,
  search: true,
  norm: true,
  epsilon: true,
}).extend({
  /** How many were given up. */
  shards: z.int().min(1),
  /** Of the first of them. */
  reason: z.string(),
});
export type FailedCell = z.infer<typeof FailedCell>;

/** A direction's own figures over a sweep of epsilons. */
const Sweep = z.strictObject({
  areaUnderSuccess: Rate.nullable(),
  medianMinimalEpsilon: z.number().nullable(),
});

/** Success against epsilon of one facet and objective, gathered over the epsilons of one search and norm. */
export const FacetCurve = z.strictObject({
  facet: Name,
  objective: ObjectiveName,
  search: z.string(),
  norm: z.enum(NORMS),
  points: z.array(z.strictObject({ epsilon: z.number(), attackSuccessRate: Rate.nullable() })),
  /** Area under success over epsilon from 0 to the largest one, as a fraction of the whole. */
  areaUnderSuccess: Rate.nullable(),
  areaInterval: Interval.nullable(),
  /** Median over right decisions of the smallest epsilon tried that turned it; null where half of them stood. */
  medianMinimalEpsilon: z.number().nullable(),
  medianInterval: DifferenceInterval.nullable(),
  directions: z.strictObject({ spoofAsLive: Sweep, liveAsSpoof: Sweep }),
});
export type FacetCurve = z.infer<typeof FacetCurve>;

/** A figure of this model beside the baseline's, on the samples that both saw. */
export const Change = z.strictObject({
  baseline: Rate.nullable(),
  current: Rate.nullable(),
  /** `current` minus `baseline`. */
  delta: z.number().nullable(),
  /** Paired by sample. */
  interval: DifferenceInterval.nullable(),
  /** `within-noise`: the interval holds 0. `unknown`: there is no interval. */
  change: z.enum(['better', 'worse', 'within-noise', 'unknown']),
});
export type Change = z.infer<typeof Change>;

export const Comparison = z.strictObject({
  model: Ref.extend({ sha256: Digest }),
  evaluation: z.string(),
  /** Test samples that both evaluations attacked. */
  samples: z.int(),
  clean: z.strictObject({ accuracy: Change, auc: Change }),
  cells: z.array(
    z.strictObject({
      id: z.string(),
      facet: Name,
      objective: ObjectiveName,
      search: z.string(),
      norm: z.enum(NORMS),
      epsilon: z.number(),
      attackSuccessRate: Change,
      robustAuc: Change,
    }),
  ),
});
export type Comparison = z.infer<typeof Comparison>;

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
  facets: z.array(
    FacetSummary.extend({
      /** 1 is the weakest; by the area up to the ranking's last epsilon. */
      rank: z.int().nullable(),
      rankInterval: z.tuple([z.int(), z.int()]).nullable(),
      /** Share of bootstrap draws in which it is the weakest. */
      weakestShare: Rate.nullable(),
    }),
  ),
  /** What facets are ranked by; epsilons at which everything falls rank nothing and are left out. */
  ranking: z
    .strictObject({
      search: z.string(),
      norm: z.enum(NORMS),
      epsilons: z.array(z.number()),
      saturated: z.array(z.number()),
    })
    .nullable(),
  cells: z.array(CellReport),
  /** Only where there are any, which the plan must allow: the report would look like one of fewer attacks. */
  failedCells: z.array(FailedCell).min(1).optional(),
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
      interval: DifferenceInterval.nullable(),
    }),
  ),
  worst: z.array(WorstCase),
  /** Against an earlier model; null where none was asked for, or there is none. */
  baseline: Comparison.nullable(),
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
