/**
 * One shard of one cell: attack, store the 8-bit images, store how each was judged. Keys depend on the job alone and
 * the outcomes are written last, so a job that is repeated finds its result or writes the same one.
 */
import { Dataset, loadFeatures, loadModel, loadPlan, shardIndices, writeOutcomes } from '@facet/catalog';
import { DECISION_FACET, type Job, keys, LIVE, type Outcome, SPOOF } from '@facet/contracts';
import { type StoredSample, writeShard } from '@facet/datasets';
import type { AttackResult, AttackSource, Engine } from '@facet/engine';
import type { ObjectStore } from '@facet/store';
import { attackSource } from './source.js';
import { truthOf } from './truth.js';

export interface AttackDependencies {
  readonly store: ObjectStore;
  readonly engine: Engine;
}

export interface AttackContext {
  readonly signal: AbortSignal;
  /** Images that a gradient step has served. */
  readonly onStep: (samples: number) => void;
}

function outcomesOf(samples: readonly StoredSample[], result: AttackResult, threshold: number): Outcome[] {
  return samples.map(({ key, labels }, i): Outcome => {
    const live = labels.label === 'live';
    const correct = result.cleanScores[i] >= threshold === live;
    return {
      key,
      label: labels.label,
      species: labels.spoofType ?? null,
      illumination: labels.illumination ?? null,
      cleanScore: result.cleanScores[i],
      adversarialScore: result.adversarialScores[i],
      correct,
      fooled: correct && result.adversarialScores[i] >= threshold !== live,
      linf: result.linf[i],
      l2: result.l2[i],
    };
  });
}

/** Models with their features, as long as their evaluation's jobs keep coming. */
export class Sources {
  readonly #known = new Map<string, Promise<{ source: AttackSource; threshold: number }>>();

  constructor(private readonly store: ObjectStore) {}

  get(job: Job<'attacks'>): Promise<{ source: AttackSource; threshold: number }> {
    const known = this.#known.get(job.features);
    if (known !== undefined) return known;
    const loading = this.#load(job);
    // The last one only: jobs of one evaluation come together.
    this.#known.clear();
    this.#known.set(job.features, loading);
    loading.catch(() => this.#known.delete(job.features));
    return loading;
  }

  async #load({ model, features }: Job<'attacks'>): Promise<{ source: AttackSource; threshold: number }> {
    const [published, stored] = await Promise.all([
      loadModel(this.store, model),
      loadFeatures(this.store, features),
    ]);
    return {
      source: attackSource(published, stored, features),
      threshold: stored.summary.threshold.value,
    };
  }
}

export async function runAttack(
  { store, engine }: AttackDependencies,
  sources: Sources,
  job: Job<'attacks'>,
  { signal, onStep }: AttackContext,
): Promise<void> {
  const { evaluation, cell, shard } = job;
  const outcomesKey = keys.evaluation.outcomes(evaluation, cell.id, shard);
  if ((await store.get(outcomesKey)) !== undefined) return;
  const [{ plan }, { source, threshold }, dataset] = await Promise.all([
    loadPlan(store, evaluation),
    sources.get(job),
    Dataset.open(store, job.dataset),
  ]);
  const samples = await dataset.at('test', shardIndices(plan, dataset.count('test'), shard));
  const facet = cell.facet === DECISION_FACET ? undefined : cell.facet;
  const result = await engine.attack(
    {
      source,
      facet,
      objective: cell.objective,
      search: cell.search,
      threat: cell.threat,
      threshold,
      // The same random starts for every facet and objective, so that cells differ in what they ask alone.
      seed: plan.seed,
      batch: plan.batch,
      images: {
        photos: samples.map(({ png, box }) => (box === undefined ? { png } : { png, box })),
        prepared: false,
      },
      keys: samples.map((sample) => sample.key),
      labels: Uint8Array.from(samples, (sample) => (sample.labels.label === 'live' ? LIVE : SPOOF)),
      truth: samples.map((sample) => truthOf(facet, sample)),
    },
    { signal, onStep },
  );
  const images = samples.map(({ key, labels }, i) => ({ key, labels, png: result.pngs[i] }));
  await store.put(keys.evaluation.images(evaluation, cell.id, shard), await writeShard(images), { signal });
  await store.put(outcomesKey, writeOutcomes(outcomesOf(samples, result, threshold)), { signal });
}
