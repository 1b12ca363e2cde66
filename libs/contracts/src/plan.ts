/** What an evaluation does: facets x objectives x searches x threat models, and what its policy demands. */
import { z } from 'zod';
import { FacetName, Name } from './names.js';
import { SearchConfig } from './search.js';

/** A fraction of the [0,1] pixel range: a number, or a quotient as people write it, "2/255". */
export const Epsilon = z
  .union([
    z.number(),
    z.string().regex(/^\d+(\.\d+)?\/\d+(\.\d+)?$/, 'must be a number or a quotient like 2/255'),
  ])
  .transform((value) => {
    if (typeof value === 'number') return value;
    const [over, under] = value.split('/').map(Number);
    return over / under;
  })
  .pipe(z.number().positive());

/**
 * What an attack increases. `direct`: the decision's own loss. `facet`: the facet's loss. `sfa`: facet loss with
 * the prior of the data. `prior-only`: the prior's term alone. `control`: `sfa` with a direction for each sample that a
 * prior of labels shuffled within each class would have, which must gain nothing. `all-facets`: `sfa` on every facet that
 * has a prior at once, an attack of the decision.
 */
export const OBJECTIVES = ['direct', 'facet', 'sfa', 'prior-only', 'control', 'all-facets'] as const;
export const ObjectiveName = z.enum(OBJECTIVES);
export type ObjectiveName = z.infer<typeof ObjectiveName>;

/** Whether an objective is the decision's, and of no facet by itself. */
export const concernsDecision = (objective: ObjectiveName): boolean =>
  objective === 'direct' || objective === 'all-facets';

export const NORMS = ['linf', 'l2'] as const;
export type Norm = (typeof NORMS)[number];

/**
 * Epsilon: L-infinity as a fraction of the pixel range; L2 as the root of the mean squared change per pixel value
 * (the Euclidean norm over the root of the number of values), so that one number means alike at every size.
 */
export const ThreatModel = z.strictObject({
  norm: z.enum(NORMS),
  epsilon: Epsilon.pipe(z.number().max(1, 'must be a fraction of the pixel range, at most 1')),
});
export type ThreatModel = z.infer<typeof ThreatModel>;

/** Cells that one plan may hold; a larger one is a mistake in the plan. */
export const MAX_CELLS = 100_000;

/** Every combination of its facets, objectives, searches and threat models is a cell. */
export const AttackGroup = z.strictObject({
  /** `all`: the decision and every facet that the model offers and the dataset's labels allow. */
  facets: z.union([z.literal('all'), z.array(FacetName).min(1)]).default('all'),
  objectives: z.array(ObjectiveName).min(1),
  searches: z.array(SearchConfig).min(1),
  threats: z.array(ThreatModel).min(1),
});
export type AttackGroup = z.infer<typeof AttackGroup>;

/** What a plan may cost at most, in the worst case; one that may cost more is refused before any work. */
export const Budget = z.strictObject({
  cells: z.int().min(1).max(MAX_CELLS).optional(),
  /** Passes through the model over all cells and images: a gradient counts one, a decision of a black-box search too. */
  passes: z.int().min(1).max(1e15).optional(),
});
export type Budget = z.infer<typeof Budget>;

export const EvaluationPlan = z.strictObject({
  schema: z.literal('facet.plan/v1'),
  name: Name,
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .default(0),
  /** Test samples per cell, taken evenly over the split; all of them where it has fewer. */
  samples: z.int().min(1).max(10_000_000),
  /** Samples per attack batch and per shard. They belong to the plan, since last bits may depend on them. */
  batch: z.int().min(1).max(4096),
  shard: z.int().min(1).max(100_000),
  /** Train samples for priors and probes. */
  priorSamples: z.int().min(10).max(1_000_000).default(1000),
  budget: Budget.optional(),
  /**
   * What a cell with a shard that was given up makes of the evaluation. `fail`, as without it: it ends as failed, with the
   * reasons, when all others have ended. `mark`: it ends with the others' figures, and its report names the cell.
   */
  failedCells: z.enum(['fail', 'mark']).optional(),
  attacks: z.array(AttackGroup).min(1),
});
export type EvaluationPlan = z.infer<typeof EvaluationPlan>;

/** What people write: a whole plan, or the name of a preset and what differs from it. */
export const PlanDocument = z.union([
  EvaluationPlan,
  EvaluationPlan.partial().extend({
    schema: z.literal('facet.plan/v1'),
    name: Name,
    extends: Name,
  }),
]);

/** One (facet, objective, search, threat model) of an evaluation. */
export const Cell = z.strictObject({
  id: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,199}$/),
  facet: FacetName,
  objective: ObjectiveName,
  search: SearchConfig,
  threat: ThreatModel,
});
export type Cell = z.infer<typeof Cell>;

const Rate = z.number().min(0).max(1);

/** Thresholds on a report; every one that is present must hold. Rates are fractions. */
export const Policy = z.strictObject({
  schema: z.literal('facet.policy/v1'),
  name: Name,
  clean: z
    .strictObject({
      maxAcer: Rate.optional(),
      minAuc: Rate.optional(),
      minAccuracy: Rate.optional(),
      /** By how much the AUC may fall below the baseline's. */
      maxRegression: Rate.optional(),
    })
    .default({}),
  attacks: z
    .array(
      z
        .strictObject({
          /** Which cells it speaks about; a field that is absent matches all. */
          facet: FacetName.optional(),
          objective: ObjectiveName.optional(),
          search: z.string().optional(),
          norm: z.enum(NORMS).optional(),
          maxEpsilon: Epsilon.optional(),
          maxAttackSuccessRate: Rate.optional(),
          /** By how much success may rise above the baseline's. */
          maxRegression: Rate.optional(),
        })
        .refine((rule) => rule.maxAttackSuccessRate !== undefined || rule.maxRegression !== undefined, {
          path: ['maxAttackSuccessRate'],
          message: 'is missing; a rule needs it, or maxRegression',
        }),
    )
    .default([]),
});
export type Policy = z.infer<typeof Policy>;
