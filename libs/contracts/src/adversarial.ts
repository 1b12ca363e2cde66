/** Adversarial training as data: which samples of a batch are attacked, through which objective, and how strongly. */
import { z } from 'zod';
import { FacetName } from './names.js';
import { ThreatModel } from './plan.js';

/**
 * What a training sample is attacked through. `direct`: the decision's own loss. `facet`: a facet's loss. `sfa`: a
 * facet's loss with its prior. `prior-only`: the prior alone, a linear probe of live against spoof on the facet's
 * feature, which needs no head. `clean`: not at all.
 */
export const TrainingObjective = z.enum(['direct', 'facet', 'sfa', 'prior-only', 'clean']);
export type TrainingObjective = z.infer<typeof TrainingObjective>;

/** Whether an objective speaks of a facet. */
export const concernsFacet = (objective: TrainingObjective): boolean =>
  objective !== 'direct' && objective !== 'clean';

/** Whether an objective needs what was fitted to the features. */
export const needsPrior = (objective: TrainingObjective): boolean =>
  objective === 'sfa' || objective === 'prior-only';

const RelativeStep = z.number().positive().max(4);

/** The inner search. Steps are relative to epsilon; starts are random. */
export const InnerSearch = z.discriminatedUnion('name', [
  /** One step of 1.25 epsilon from a random start (Wong, Rice and Kolter, ICLR 2020). */
  z.strictObject({ name: z.literal('fast'), relativeStep: RelativeStep.default(1.25) }),
  /** Madry et al., ICLR 2018; steps of 2.5 epsilon / steps unless given. */
  z.strictObject({
    name: z.literal('pgd'),
    steps: z.int().min(1).max(100).default(5),
    relativeStep: RelativeStep.optional(),
  }),
  /**
   * Zhang et al., ICML 2019: attacked samples stand beside their clean ones, and what the decision says of the two must
   * be alike, weighed by `beta`.
   */
  z.strictObject({
    name: z.literal('trades'),
    steps: z.int().min(1).max(100).default(5),
    relativeStep: RelativeStep.optional(),
    beta: z.number().positive().max(100).default(6),
  }),
]);
export type InnerSearch = z.infer<typeof InnerSearch>;

const MixPart = z
  .strictObject({
    objective: TrainingObjective,
    /** Facets that take turns, a step each; every one that the network has unless given. */
    facets: z.array(FacetName).min(1).optional(),
    /** Its share among the attacked samples, relative to the others'. */
    weight: z.number().positive().default(1),
  })
  .refine(({ objective, facets }) => facets === undefined || concernsFacet(objective), {
    path: ['facets'],
    message: 'speaks of facets, and this objective attacks the decision or nothing',
  });

export const AdversarialTraining = z
  .strictObject({
    search: InnerSearch.default({ name: 'fast', relativeStep: 1.25 }),
    threat: ThreatModel,
    /** Share of every batch that is attacked. */
    share: z.number().gt(0).max(1).default(0.5),
    /** Steps over which epsilon rises linearly from almost zero. */
    warmupSteps: z.int().min(0).default(0),
    mix: z
      .array(MixPart)
      .min(1)
      .default([{ objective: 'direct', weight: 1 }]),
    /** When the priors of facets are fitted again, and to how many train samples. */
    priors: z
      .strictObject({ everySteps: z.int().min(1), samples: z.int().min(50).max(100_000) })
      .default({ everySteps: 100, samples: 500 }),
  })
  .refine(
    ({ search, mix }) => search.name !== 'trades' || mix.every(({ objective }) => objective === 'direct'),
    {
      path: ['mix'],
      message: 'must be direct alone with TRADES, whose attack is on the decision',
    },
  );
export type AdversarialTraining = z.infer<typeof AdversarialTraining>;
