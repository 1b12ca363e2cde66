/** What the gateway shows: the bodies of its answers, and those of requests that are not artifacts already. */
import { z } from 'zod';
import { DeadLetter } from '../dead-letter.js';
import { DatasetSource, StandingEvaluation } from '../events.js';
import { ModelManifest } from '../model.js';
import { Digest, Name, Ref, Version } from '../names.js';
import { EvaluationPlan, Policy } from '../plan.js';
import { Verdict } from '../report.js';
import { SPLITS } from '../taxonomy.js';
import { EvaluationId, TrainingRecipe, TrainingRequest } from '../training.js';
import { pageOf } from './paging.js';
import { ROLES } from './roles.js';

const Rate = z.number().min(0).max(1).nullable();
/** RFC 3339, UTC. */
const Time = z.iso.datetime();

/** By its evaluations' policies: approved where all that ended hold, rejected where one does not. */
export const STAGES = ['candidate', 'approved', 'rejected'] as const;
export type Stage = (typeof STAGES)[number];

export const Model = z.strictObject({
  name: Name,
  version: Version,
  sha256: Digest,
  bytes: z.int(),
  published: Time,
  stage: z.enum(STAGES),
});
export type Model = z.infer<typeof Model>;

/** Where a model comes from. */
export const Lineage = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('upload'), by: z.string() }),
  z.strictObject({
    kind: z.literal('training'),
    training: z.string(),
    /** What computed its steps: the same recipe gives other last bits on another one. */
    backend: z.string().optional(),
    dataset: Ref,
    recipe: TrainingRecipe,
    /** The model that was trained on, and the evaluation whose adversarial images it saw. */
    parent: Ref.optional(),
    evaluation: EvaluationId.optional(),
  }),
]);
export type Lineage = z.infer<typeof Lineage>;

export const EVALUATION_STATES = ['requested', 'running', 'completed', 'failed', 'cancelled'] as const;
export type EvaluationState = (typeof EVALUATION_STATES)[number];
export const ENDED: readonly EvaluationState[] = ['completed', 'failed', 'cancelled'];

/** One event of the live progress: always the whole state, so that a missed one is no loss. */
export const EvaluationProgress = z.strictObject({
  id: EvaluationId,
  state: z.enum(EVALUATION_STATES),
  /** Shards with outcomes, shards given up, and all of them; total is 0 until the plan is made. */
  done: z.int(),
  failed: z.int(),
  total: z.int(),
  /** Whether the policy holds; null until the report is there. */
  passed: z.boolean().nullable(),
  /** Why it failed. */
  reasons: z.array(z.string()),
});
export type EvaluationProgress = z.infer<typeof EvaluationProgress>;

/** An evaluation's result in a line, taken from its report. */
export const EvaluationSummary = z.strictObject({
  schema: z.literal('facet.summary/v1'),
  verdict: Verdict,
  modelDigest: Digest,
  datasetDigest: Digest,
  /** Digest of the plan: evaluations compare where this and the dataset's digest are the same. */
  planDigest: Digest,
  cleanAcer: Rate,
  cleanAuc: Rate,
  /** Area under the ROC curve in the cell that leaves the least of it. */
  worstAuc: Rate,
  /** Share of right decisions that flip, in the cell where most do. */
  worstAttackSuccess: Rate,
  /** Cells that could not be attacked: without them the other figures flatter. */
  failedCells: z.int().min(0),
  worstCell: z.string().nullable(),
  /** The facet that gives way first. */
  weakestFacet: z.string().nullable(),
});
export type EvaluationSummary = z.infer<typeof EvaluationSummary>;

export const Evaluation = EvaluationProgress.extend({
  model: Ref,
  dataset: Ref,
  plan: Name,
  policy: Name.nullable(),
  requested: Time,
  ended: Time.nullable(),
  summary: EvaluationSummary.nullable(),
});
export type Evaluation = z.infer<typeof Evaluation>;

export const EvaluationDetail = Evaluation.extend({
  plan: EvaluationPlan,
  policy: Policy.nullable(),
});
export type EvaluationDetail = z.infer<typeof EvaluationDetail>;

/** What an evaluation is asked for. */
export const EvaluationOrder = z.strictObject({
  model: Ref,
  dataset: Ref,
  plan: EvaluationPlan,
  policy: Policy.optional(),
});
export type EvaluationOrder = z.infer<typeof EvaluationOrder>;

export const ModelDetail = Model.extend({
  manifest: ModelManifest,
  lineage: Lineage.nullable(),
  /** Versions of the same name, in the order in which they were published. */
  versions: z.array(Version),
  evaluations: z.array(Evaluation),
});
export type ModelDetail = z.infer<typeof ModelDetail>;

export const DATASET_STATES = ['ingesting', 'ready', 'failed'] as const;

const [SYNTHETIC, FOLDER] = DatasetSource.options;

/** An archive comes by an upload, not by its key. */
export const DatasetOrder = z.strictObject({
  name: Name,
  version: Version,
  source: z.discriminatedUnion('kind', [SYNTHETIC, FOLDER]),
});
export type DatasetOrder = z.infer<typeof DatasetOrder>;

export const DatasetResource = z.strictObject({
  name: Name,
  version: Version,
  state: z.enum(DATASET_STATES),
  digest: Digest.nullable(),
  description: z.string().nullable(),
  samples: z.record(z.enum(SPLITS), z.int()).nullable(),
  /** Why it failed. */
  reason: z.string().nullable(),
});
export type DatasetResource = z.infer<typeof DatasetResource>;

/** What went with a dataset. */
export const DatasetDeletion = z.strictObject({
  dataset: Ref,
  evaluations: z.array(EvaluationId),
  trainings: z.array(z.string()),
  objects: z.int(),
  /** Models that were trained on it and stay: weights, no images. Whether they may be kept is not for a tool to say. */
  modelsTrainedOnIt: z.array(Ref),
});
export type DatasetDeletion = z.infer<typeof DatasetDeletion>;

export const AdversarialImage = z.strictObject({
  sample: z.string(),
  /** Opens the image, until it expires. */
  link: z.string(),
});

export const EvaluationImages = z.strictObject({
  cell: z.string(),
  shard: z.int(),
  expires: Time,
  /** Opens the whole shard (WebDataset tar). */
  archive: z.string(),
  images: z.array(AdversarialImage),
});

export const TRAINING_STATES = ['requested', 'running', 'completed', 'failed'] as const;

export const TrainingOrder = TrainingRequest;

export const Training = TrainingRequest.safeExtend({
  id: z.string(),
  state: z.enum(TRAINING_STATES),
  /** Digest of the model that came out. */
  sha256: Digest.nullable(),
  reason: z.string().nullable(),
});
export type Training = z.infer<typeof Training>;

export const DeadLetterEntry = z.strictObject({
  sequence: z.int(),
  handler: z.string(),
  reason: DeadLetter.shape.reason,
  attempts: z.int(),
  time: z.string(),
  error: z.string(),
  subject: z.string(),
});
export type DeadLetterEntry = z.infer<typeof DeadLetterEntry>;

export const DeadLetterDetail = z.strictObject({ sequence: z.int(), letter: DeadLetter });

/** Evaluations that can be compared: same data, same plan. The most robust model first. */
export const Leaderboard = z.strictObject({
  boards: z.array(
    z.strictObject({
      dataset: Ref,
      plan: Name,
      planDigest: Digest,
      rows: z.array(
        z.strictObject({
          rank: z.int(),
          model: Ref,
          stage: z.enum(STAGES),
          evaluation: EvaluationId,
          summary: EvaluationSummary,
        }),
      ),
    }),
  ),
});
export type Leaderboard = z.infer<typeof Leaderboard>;

export const TokenInfo = z.strictObject({
  id: z.string(),
  name: z.string(),
  role: z.enum(ROLES),
  created: Time,
  expires: Time.nullable(),
});
export type TokenInfo = z.infer<typeof TokenInfo>;

export const TokenOrder = z.strictObject({
  /** For people: whose it is. */
  name: z.string().regex(/^[\w .@-]{1,100}$/, 'must be letters, digits, spaces and .@-_, at most 100'),
  role: z.enum(ROLES),
  days: z.int().min(1).max(3650).optional(),
});
export type TokenOrder = z.infer<typeof TokenOrder>;

/** `token` is shown this once; only its hash is kept. */
export const CreatedToken = TokenInfo.extend({ token: z.string() });

export const AuditEntry = z.strictObject({
  schema: z.literal('facet.audit/v1'),
  time: Time,
  request: z.string(),
  /** Route, by its name in the OpenAPI document. */
  action: z.string(),
  /** Path parameters. */
  target: z.record(z.string(), z.string()),
  status: z.int(),
  actor: TokenInfo.pick({ id: true, name: true, role: true }).nullable(),
  address: z.string(),
});
export type AuditEntry = z.infer<typeof AuditEntry>;

export const Me = TokenInfo;

export const Pages = {
  models: pageOf(Model),
  datasets: pageOf(DatasetResource),
  evaluations: pageOf(Evaluation),
  trainings: pageOf(Training),
  deadLetters: pageOf(DeadLetterEntry),
  audit: pageOf(AuditEntry),
  standing: pageOf(StandingEvaluation),
  tokens: pageOf(TokenInfo),
} as const;
