/**
 * JSON Schemas (draft 2020-12) of the files that people and other tools write and read, derived from the zod schemas,
 * so that an editor checks a manifest as we do. They describe what may be written: fields with a default may be
 * absent, and an epsilon may be "2/255". What JSON Schema cannot say (contradictions between fields) only we check.
 */
import { z } from 'zod';
import { StandingEvaluation } from './events.js';
import { Features } from './features.js';
import { HardeningReport } from './hardening.js';
import { ModelManifest } from './model.js';
import { CleanScore, Outcome } from './outcome.js';
import { PlanDocument, Policy } from './plan.js';
import { Report } from './report.js';
import { DatasetManifest, FolderManifest } from './sample.js';
import { Study, StudyReport } from './study.js';
import { TrainingHistory, TrainingRecipe } from './training.js';
import { TransferReport } from './transfer.js';

/** Artifacts by the name of their schema; `outcome` and `score` are rows of Parquet files, the others JSON files. */
export const ARTIFACTS = {
  model: ModelManifest,
  dataset: DatasetManifest,
  folder: FolderManifest,
  plan: PlanDocument,
  policy: Policy,
  features: Features,
  outcome: Outcome,
  score: CleanScore,
  report: Report,
  standing: StandingEvaluation,
  recipe: TrainingRecipe,
  'training-history': TrainingHistory,
  hardening: HardeningReport,
  study: Study,
  'study-report': StudyReport,
  'transfer-report': TransferReport,
} as const;

/** A JSON Schema by artifact, under the names of {@link ARTIFACTS}. */
export function jsonSchemas(): Record<string, object> {
  const named = Object.entries(ARTIFACTS);
  return Object.fromEntries(named.map(([name, schema]) => [name, z.toJSONSchema(schema, { io: 'input' })]));
}
