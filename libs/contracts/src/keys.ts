/** Where every artifact lies in the object store. Keys depend on what an object is, never on when it was made. */
import type { Ref } from './names.js';
import type { Split } from './taxonomy.js';

const shardName = (index: number): string => String(index).padStart(5, '0');

export const keys = {
  dataset: {
    manifest: (ref: Ref) => `datasets/${ref.name}/${ref.version}/manifest.json`,
    shard: (ref: Ref, split: Split, index: number) =>
      `datasets/${ref.name}/${ref.version}/${split}/${shardName(index)}.tar`,
  },
  model: {
    all: (name: string) => `models/${name}/`,
    file: (ref: Ref) => `models/${ref.name}/${ref.version}/model.onnx`,
    manifest: (ref: Ref) => `models/${ref.name}/${ref.version}/manifest.json`,
  },
  features: {
    folder: (model: Ref, dataset: Ref, digest: string) =>
      `features/${model.name}/${model.version}/${dataset.name}/${dataset.version}/${digest}`,
  },
  evaluation: {
    all: 'evaluations/',
    /** What is asked for again when the evaluation has ended. */
    allWaiting: (id: string) => `evaluations/${id}/waiting/`,
    waiting: (id: string, name: string) => `evaluations/${id}/waiting/${name}.json`,
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
    checkpoint: (id: string) => `trainings/${id}/checkpoint.safetensors`,
  },
  standing: { all: 'standing/', one: (name: string) => `standing/${name}.json` },
} as const;
