/** Where every artifact lies in the object store. Keys depend on what an object is, never on when it was made. */
import type { Ref } from './names.js';
import type { Split } from './taxonomy.js';

const shardName = (index: number): string => String(index).padStart(5, '0');

export const keys = {
  dataset: {
    all: 'datasets/',
    folder: (ref: Ref) => `datasets/${ref.name}/${ref.version}/`,
    /** Of which source it is being made. */
    registration: (ref: Ref) => `datasets/${ref.name}/${ref.version}/registration.json`,
    /** Why it could not be made. */
    failure: (ref: Ref) => `datasets/${ref.name}/${ref.version}/failure.json`,
    manifest: (ref: Ref) => `datasets/${ref.name}/${ref.version}/manifest.json`,
    shard: (ref: Ref, split: Split, index: number) =>
      `datasets/${ref.name}/${ref.version}/${split}/${shardName(index)}.tar`,
  },
  model: {
    all: (name: string) => `models/${name}/`,
    root: 'models/',
    /** Where it comes from. */
    lineage: (ref: Ref) => `models/${ref.name}/${ref.version}/lineage.json`,
    file: (ref: Ref) => `models/${ref.name}/${ref.version}/model.onnx`,
    manifest: (ref: Ref) => `models/${ref.name}/${ref.version}/manifest.json`,
  },
  features: {
    all: 'features/',
    folder: (model: Ref, dataset: Ref, digest: string) =>
      `features/${model.name}/${model.version}/${dataset.name}/${dataset.version}/${digest}`,
  },
  evaluation: {
    all: 'evaluations/',
    /** What is asked for again when the evaluation has ended. */
    allWaiting: (id: string) => `evaluations/${id}/waiting/`,
    waiting: (id: string, name: string) => `evaluations/${id}/waiting/${name}.json`,
    folder: (id: string) => `evaluations/${id}/`,
    /** That somebody stopped it: no job of it begins any more. */
    cancelled: (id: string) => `evaluations/${id}/cancelled.json`,
    /** Why there will be no report. */
    failed: (id: string) => `evaluations/${id}/failed.json`,
    /** Its report in a line; made of it again where it is missing. */
    summary: (id: string) => `evaluations/${id}/summary.json`,
    request: (id: string) => `evaluations/${id}/request.json`,
    plan: (id: string) => `evaluations/${id}/plan.json`,
    cells: (id: string) => `evaluations/${id}/cells/`,
    outcomes: (id: string, cell: string, shard: number) =>
      `evaluations/${id}/cells/${cell}/${shardName(shard)}.parquet`,
    images: (id: string, cell: string, shard: number) =>
      `evaluations/${id}/cells/${cell}/${shardName(shard)}.tar`,
    /** Why a shard has no outcomes and never will. */
    failure: (id: string, cell: string, shard: number) =>
      `evaluations/${id}/cells/${cell}/${shardName(shard)}.failure.json`,
    report: (id: string, kind: 'json' | 'html' | 'xml') => `evaluations/${id}/report.${kind}`,
  },
  training: {
    all: 'trainings/',
    folder: (id: string) => `trainings/${id}/`,
    request: (id: string) => `trainings/${id}/request.json`,
    /** How it ended, well or not. */
    outcome: (id: string) => `trainings/${id}/outcome.json`,
    checkpoint: (id: string) => `trainings/${id}/checkpoint.safetensors`,
    /** Losses and validation by epoch. */
    history: (id: string) => `trainings/${id}/history.json`,
  },
  /** Initial weights that somebody handed in, by digest: safetensors, or an ONNX model. */
  weights: { all: 'weights/', one: (digest: string) => `weights/${digest}` },
  standing: { all: 'standing/', one: (name: string) => `standing/${name}.json` },
  token: { all: 'tokens/', one: (id: string) => `tokens/${id}.json` },
  audit: {
    all: 'audit/',
    /** @param time RFC 3339, so that keys stand in the order of time */
    one: (time: string, request: string) =>
      `audit/${time.slice(0, 10)}/${time.replaceAll(':', '-')}-${request}.json`,
  },
  idempotency: { all: 'idempotency/', one: (digest: string) => `idempotency/${digest}.json` },
  /** What is being uploaded and is not accepted yet. */
  incoming: { all: 'incoming/', one: (id: string) => `incoming/${id}` },
} as const;
