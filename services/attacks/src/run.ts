/**
 * One shard of one cell: attack, store the 8-bit images, store how each was judged. Keys depend on the job alone and
 * the outcomes are written last, so a job that is repeated finds its result or writes the same one.
 */
import { facetsOf } from '@facet/adversary';
import { Dataset, loadFeatures, loadModel, loadPlan, shardIndices, writeOutcomes } from '@facet/catalog';
import {
  DECISION_FACET,
  type EvaluationPlan,
  type Job,
  keys,
  LIVE,
  type Outcome,
  SPOOF,
} from '@facet/contracts';
import { type StoredSample, writeShard } from '@facet/datasets';
import type { AttackResult, AttackSource, Engine } from '@facet/engine';
import type { ObjectStore } from '@facet/store';
import { inSpan, record } from '@facet/telemetry';
import { attackSource } from './source.js';
import { truthOf } from './truth.js';

export interface AttackDependencies {
  readonly store: ObjectStore;
  readonly engine: Engine;
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

/** What all jobs of an evaluation share. */
interface Inputs {
  readonly source: AttackSource;
  readonly threshold: number;
  readonly plan: EvaluationPlan;
  readonly dataset: Dataset;
}

/** Opens what an evaluation's jobs share, once as long as they keep coming. */
export class Sources {
  readonly #known = new Map<string, Promise<Inputs>>();

  constructor(private readonly store: ObjectStore) {}

  get(job: Job<'attacks'>): Promise<Inputs> {
    const known = this.#known.get(job.evaluation);
    if (known !== undefined) return known;
    const loading = this.#load(job);
    // The last one only: jobs of one evaluation come together.
    this.#known.clear();
    this.#known.set(job.evaluation, loading);
    loading.catch(() => this.#known.delete(job.evaluation));
    return loading;
  }

  async #load({ evaluation, model, dataset, features }: Job<'attacks'>): Promise<Inputs> {
    const [published, stored, opened, { plan }] = await Promise.all([
      loadModel(this.store, model),
      loadFeatures(this.store, features),
      Dataset.open(this.store, dataset),
      loadPlan(this.store, evaluation),
    ]);
    return {
      source: attackSource(published, stored, features),
      threshold: stored.summary.threshold.value,
      plan,
      dataset: opened,
    };
  }
}

/** False where the evaluation was deleted meanwhile: then nothing is left behind that derives from its faces. */
export async function runAttack(
  { store, engine }: AttackDependencies,
  sources: Sources,
  job: Job<'attacks'>,
  signal: AbortSignal,
): Promise<boolean> {
  const { evaluation, cell, shard } = job;
  const outcomesKey = keys.evaluation.outcomes(evaluation, cell.id, shard);
  if ((await store.get(outcomesKey)) !== undefined) return true;
  const { source, threshold, plan, dataset } = await sources.get(job);
  const about = { 'facet.evaluation': evaluation, 'facet.cell': cell.id, 'facet.shard': shard };
  const indices = shardIndices(plan, dataset.count('test'), shard);
  const samples = await inSpan('read samples', about, () => dataset.at('test', indices));
  const facet = cell.facet === DECISION_FACET ? undefined : cell.facet;
  const { facets } = source.attacked;
  const asked = facetsOf(
    source.attacked,
    facets.find((one) => one.facet === facet),
    cell.objective,
  );
  const request = {
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
    truth: Object.fromEntries(
      asked.map((one) => [one.facet, samples.map((sample) => truthOf(one.facet, sample))]),
    ),
  };
  const result = await inSpan('attack', about, () => engine.attack(request, { signal }));
  record('facet.images', samples.length, { stage: 'attacks' });
  if ((await store.get(keys.evaluation.plan(evaluation))) === undefined) return false;
  const images = samples.map(({ key, labels }, i) => ({ key, labels, png: result.pngs[i] }));
  await inSpan('store outcomes', about, async () => {
    await store.put(keys.evaluation.images(evaluation, cell.id, shard), await writeShard(images), { signal });
    await store.put(outcomesKey, writeOutcomes(outcomesOf(samples, result, threshold)), { signal });
  });
  return true;
}
