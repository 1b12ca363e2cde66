/**
 * Every message that travels: facts (what has happened, kept for whoever wants to know) and jobs (work that one
 * worker takes). A message carries keys of stored objects, never tensors.
 */
import { z } from 'zod';
import { Digest, Name, Ref, Version } from './names.js';
import { Cell, EvaluationPlan, Policy } from './plan.js';
import { Verdict } from './report.js';
import { EvaluationId, TrainingRequest } from './training.js';

/** What a model is compared with: another one by name and version, or the version of its own that was published before it. */
export const Baseline = z.union([Ref, z.literal('previous')]);
export type Baseline = z.infer<typeof Baseline>;

/** `standing/<name>.json`: evaluates every newly published model that it matches. */
export const StandingEvaluation = z.strictObject({
  schema: z.literal('facet.standing/v1'),
  name: Name,
  /** Model names: exact, or with a trailing `*`. */
  models: z
    .string()
    .regex(/^([a-z0-9][a-z0-9-]*\*?|\*)$/, 'must be a model name, or a prefix with a trailing *'),
  version: Version.optional(),
  dataset: Ref,
  plan: EvaluationPlan,
  policy: Policy.optional(),
  baseline: Baseline.optional(),
});
export type StandingEvaluation = z.infer<typeof StandingEvaluation>;

const Subject = { evaluation: EvaluationId, model: Ref, dataset: Ref };

/** Facts by type. The subject is `facet.events.<type>.v1`. */
export const FACTS = {
  'dataset.ingested': z.strictObject({ dataset: Ref, digest: Digest }),
  'model.published': z.strictObject({ model: Ref, digest: Digest }),
  'evaluation.requested': z.strictObject({
    model: Ref,
    dataset: Ref,
    plan: EvaluationPlan,
    policy: Policy.optional(),
    baseline: Baseline.optional(),
  }),
  'features.extracted': z.strictObject({ ...Subject, features: z.string() }),
  'evaluation.planned': z.strictObject({ ...Subject, cells: z.int(), shards: z.int() }),
  'attack.completed': z.strictObject({ evaluation: EvaluationId, cell: z.string(), shard: z.int() }),
  'attack.failed': z.strictObject({
    evaluation: EvaluationId,
    cell: z.string(),
    shard: z.int(),
    reason: z.string(),
  }),
  'evaluation.completed': z.strictObject({ ...Subject, report: z.string(), verdict: Verdict }),
  'evaluation.failed': z.strictObject({ evaluation: EvaluationId, reasons: z.array(z.string()) }),
  /** Somebody stopped it: no job of it begins any more. */
  'evaluation.cancelled': z.strictObject({ evaluation: EvaluationId }),
  'training.requested': TrainingRequest,
  'training.completed': z.strictObject({ request: TrainingRequest, digest: Digest }),
  'training.failed': z.strictObject({ request: TrainingRequest, reason: z.string() }),
  'dataset.failed': z.strictObject({ dataset: Ref, reason: z.string() }),
} as const;

/** Synthetic faces made here, or a folder of labelled images that the ingestion service can reach. */
export const DatasetSource = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('synthetic'),
    seed: z.int().min(0),
    size: z.int().min(16).max(512),
    samples: z.strictObject({ train: z.int().min(0), dev: z.int().min(0), test: z.int().min(1) }),
    variant: z.enum(['standard', 'shifted']).default('standard'),
    heldOut: z.array(z.string()).default([]),
  }),
  z.strictObject({ kind: z.literal('folder'), path: z.string().min(1) }),
  /** A tar of such a folder that was uploaded: its key in the store. */
  z.strictObject({ kind: z.literal('archive'), key: z.string().regex(/^incoming\/[0-9a-f-]{36}$/) }),
  /** The dev and test images of a stored dataset under another camera: blur, noise, gamma and white balance. */
  z.strictObject({ kind: z.literal('shifted'), of: Ref, seed: z.int().min(0).default(0) }),
]);
export type DatasetSource = z.infer<typeof DatasetSource>;

/** Work by type. The subject is `facet.jobs.<service>.<pool>`; a service takes one kind of job. */
export const JOBS = {
  ingestion: z.strictObject({ dataset: Ref, source: DatasetSource }),
  features: z.strictObject(Subject),
  attacks: z.strictObject({
    ...Subject,
    cell: Cell,
    shard: z.int().min(0),
    /** Key of the features that the evaluation stands on. */
    features: z.string(),
  }),
  training: TrainingRequest,
} as const;

export type FactType = keyof typeof FACTS;
export type JobType = keyof typeof JOBS;
export type Fact<T extends FactType> = z.infer<(typeof FACTS)[T]>;
export type Job<T extends JobType> = z.infer<(typeof JOBS)[T]>;

export const POOLS = ['cpu', 'gpu'] as const;
export type Pool = (typeof POOLS)[number];

/** The three streams; every bus adapter declares them as they stand here. */
export const STREAMS = [
  {
    name: 'FACET_EVENTS',
    subjects: ['facet.events.>'],
    retention: 'limits',
    duplicateWindowMs: 120_000,
  },
  { name: 'FACET_JOBS', subjects: ['facet.jobs.>'], retention: 'work-queue', duplicateWindowMs: 120_000 },
  { name: 'FACET_DLQ', subjects: ['facet.dlq.>'], retention: 'limits', duplicateWindowMs: 120_000 },
] as const;

export const factSubject = (type: FactType): string => `facet.events.${type}.v1`;
export const jobSubject = (type: JobType, pool: Pool): string => `facet.jobs.${type}.${pool}`;
