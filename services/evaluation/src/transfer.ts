/**
 * Transfer: the stored adversarial images of each model's evaluation, judged by every model. Another model sees them through
 * its own crop and scale of the same photograph, at its own frozen threshold, and success counts among its own right
 * decisions: what an attacker gets who knows one model and meets another.
 */
import { cpus } from 'node:os';
import {
  Dataset,
  loadFeatures,
  loadModel,
  loadPlan,
  loadScores,
  type PlannedEvaluation,
  type PublishedModel,
  shardIndices,
} from '@facet/catalog';
import { type Cell, formatSearch, keys, type TransferReport } from '@facet/contracts';
import { readShard } from '@facet/datasets';
import { type Engine, type Photo, share } from '@facet/engine';
import { wilsonInterval } from '@facet/metrics';
import { InputError } from '@facet/runtime';
import type { ObjectStore } from '@facet/store';
import { withoutFailed } from './failed.js';

export interface TransferDependencies {
  readonly store: ObjectStore;
  readonly engine: Engine;
  readonly version: string;
}

/** A model and what is known of it on clean images. */
interface Judge {
  readonly planned: PlannedEvaluation;
  readonly model: PublishedModel;
  readonly threshold: number;
  readonly clean: ReadonlyMap<string, number>;
}

async function judgeOf(store: ObjectStore, evaluation: string): Promise<Judge> {
  const { attacked: planned } = await withoutFailed(store, await loadPlan(store, evaluation));
  const { summary } = await loadFeatures(store, planned.features);
  const scores = await loadScores(store, planned.features);
  return {
    planned,
    model: await loadModel(store, planned.model),
    threshold: summary.threshold.value,
    clean: new Map(scores.filter(({ split }) => split === 'test').map(({ key, score }) => [key, score])),
  };
}

/** A photograph with what an attack on a model made of it. */
interface Attacked {
  readonly key: string;
  readonly live: boolean;
  readonly photo: Photo;
}

async function attackedOf(
  store: ObjectStore,
  dataset: Dataset,
  { planned, model }: Judge,
  cell: Cell,
  shard: number,
): Promise<Attacked[]> {
  const key = keys.evaluation.images(planned.evaluation, cell.id, shard);
  const object = await store.get(key);
  if (object === undefined) throw new InputError('is missing from the store', { file: key });
  const images = new Map<string, Uint8Array>();
  for await (const image of readShard(await object.bytes(), { name: key })) images.set(image.key, image.png);
  const originals = await dataset.at('test', shardIndices(planned.plan, dataset.count('test'), shard));
  return originals.map(({ key: sample, png, box, labels }) => {
    const adversarial = images.get(sample);
    if (adversarial === undefined) throw new InputError(`has no image ${sample}`, { file: key });
    const attacked = { png: adversarial, view: model.manifest };
    return { key: sample, live: labels.label === 'live', photo: { png, ...(box && { box }), attacked } };
  });
}

/**
 * The matrix of every cell that all of the evaluations have, which are of one dataset by one plan.
 * Errors: InputError where they are not, or have no cell in common.
 */
export async function transferMatrix(
  { store, engine, version }: TransferDependencies,
  evaluations: readonly string[],
  { signal, onProgress }: { signal: AbortSignal; onProgress: (done: number, total: number) => void },
): Promise<TransferReport> {
  const judges = await Promise.all(evaluations.map((evaluation) => judgeOf(store, evaluation)));
  const [{ planned: first }] = judges;
  const cells = first.cells.filter(({ id }) =>
    judges.every(({ planned }) => planned.cells.some((one) => one.id === id)),
  );
  if (cells.length === 0)
    throw new InputError('makes no cell that all of the models offer', { field: 'attacks' });
  const dataset = await Dataset.open(store, first.dataset);
  const total = cells.length * judges.length ** 2 * first.shards;
  let done = 0;
  const pair = async (cell: Cell, source: Judge, target: Judge) => {
    const { model, threshold, clean, planned } = target;
    const at = { digest: model.digest, bytes: share(model.bytes), manifest: model.manifest };
    let [attempted, succeeded] = [0, 0];
    for (let shard = 0; shard < source.planned.shards; shard++) {
      const attacked = await attackedOf(store, dataset, source, cell, shard);
      const images = { photos: attacked.map(({ photo }) => photo), prepared: false };
      const task = { source: at, images, batch: planned.plan.batch, features: [] };
      const { scores } = await engine.describe(task, signal);
      attacked.forEach(({ key, live }, i) => {
        if (clean.get(key)! >= threshold !== live) return;
        attempted++;
        if (scores[i] >= threshold !== live) succeeded++;
      });
      onProgress(++done, total);
    }
    const rate = attempted === 0 ? null : succeeded / attempted;
    return { attempted, succeeded, rate, interval: wilsonInterval(succeeded, attempted) };
  };
  const matrices: TransferReport['matrices'] = [];
  for (const cell of cells) {
    const success = await Promise.all(
      judges.map((source) => Promise.all(judges.map((target) => pair(cell, source, target)))),
    );
    const { facet, objective, search, threat } = cell;
    const { norm, epsilon } = threat;
    matrices.push({ cell: cell.id, facet, objective, search: formatSearch(search), norm, epsilon, success });
  }
  return {
    schema: 'facet.transfer-report/v1',
    models: judges.map(({ model, planned, threshold }) => ({
      ...model.ref,
      sha256: model.digest,
      evaluation: planned.evaluation,
      threshold,
    })),
    dataset: { ...first.dataset, digest: dataset.manifest.digest },
    plan: first.plan,
    matrices,
    provenance: { facet: version, backend: engine.backend, cpu: cpus().at(0)?.model ?? 'unknown' },
  };
}
