/**
 * What a model's features say about live and spoof on a dataset: priors and probes from the train split, the decision
 * threshold from the dev split. Images stream through in chunks: what grows with the dataset is one row per dev and test
 * image, its score.
 */
import { boundaryOf, CONTROL_DIRECTIONS, MIN_PRIOR_SAMPLES } from '@facet/adversary';
import {
  Dataset,
  digestOf,
  featuresFolder,
  findFeatures,
  loadModel,
  type PublishedModel,
  saveFeatures,
  spread,
  type StoredFeatures,
  TEXTURE_PRIOR,
} from '@facet/catalog';
import {
  type CleanScore,
  DECISION_FACET,
  type FacetSummary,
  type Features,
  LIVE,
  type ModelManifest,
  type Ref,
  type SampleLabels,
  SPOOF,
  type Split,
} from '@facet/contracts';
import type { StoredSample } from '@facet/datasets';
import { type Engine, type ModelFacts, type MomentsResult, share } from '@facet/engine';
import { eerThreshold } from '@facet/metrics';
import type { ObjectStore } from '@facet/store';
import { GatheredMoments } from './gather.js';
import { type FacetGroups, fitsOf, groupingsOf, priorId, probeOf } from './groupings.js';
import { Quality } from './quality.js';

/** Images per task that goes to a worker; a stored shard's worth, so that each is read once. */
const CHUNK = 256;
/** Images per forward pass. */
const BATCH = 32;

/** What a report says of attacks that cannot be made. */
const notPossible = (closed: readonly (readonly [facet: string, node: string])[]): string =>
  `Attacks that follow gradients are not possible on ${closed.map(([facet, node]) => `${facet} (${node})`).join(', ')}: they are left out.`;

export interface ExtractDependencies {
  readonly store: ObjectStore;
  readonly engine: Engine;
}

export interface ExtractRequest {
  readonly model: Ref;
  readonly dataset: Ref;
  readonly priorSamples: number;
  readonly seed: number;
}

export interface ExtractContext {
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
}

async function* chunks(
  dataset: Dataset,
  split: Split,
  indices: readonly number[],
): AsyncGenerator<StoredSample[]> {
  for (let from = 0; from < indices.length; from += CHUNK)
    yield dataset.at(split, indices.slice(from, from + CHUNK));
}

/** Folder of the features; computed once for a model, a dataset and a request, then found. */
export async function extractFeatures(
  dependencies: ExtractDependencies,
  request: ExtractRequest,
  context: ExtractContext,
): Promise<string> {
  const { store } = dependencies;
  const model = await loadModel(store, request.model);
  const dataset = await Dataset.open(store, request.dataset);
  const identity = {
    model: model.digest,
    manifest: model.manifest,
    dataset: dataset.manifest.digest,
    priorSamples: request.priorSamples,
    seed: request.seed,
    controls: CONTROL_DIRECTIONS,
  };
  const folder = featuresFolder(request.model, request.dataset, digestOf(identity));
  if ((await findFeatures(store, folder)) === undefined) {
    const { features, scores } = await new Extraction(dependencies, request, context, model, dataset).run();
    await saveFeatures(store, folder, features, scores);
  }
  return folder;
}

/** What stands between the steps of one extraction. */
class Extraction {
  readonly #source;

  constructor(
    private readonly dependencies: ExtractDependencies,
    private readonly request: ExtractRequest,
    private readonly context: ExtractContext,
    private readonly model: PublishedModel,
    private readonly dataset: Dataset,
  ) {
    this.#source = { digest: model.digest, bytes: share(model.bytes), manifest: model.manifest };
  }

  async run(): Promise<{ features: StoredFeatures; scores: CleanScore[] }> {
    const { engine } = this.dependencies;
    const facts = await engine.check(this.#source, this.context.signal);
    const facets = Object.entries(this.model.manifest.facets)
      .filter(([facet]) => facet !== DECISION_FACET)
      .map(([facet, { feature, head }]): FacetGroups => ({ facet, feature, probe: probeOf(facet, head) }));
    const moments = await this.#moments(facts, facets);
    const counts = {
      live: moments.count(priorId(TEXTURE_PRIOR), LIVE),
      spoof: moments.count(priorId(TEXTURE_PRIOR), SPOOF),
    };
    const enough = Math.min(counts.live, counts.spoof) >= MIN_PRIOR_SAMPLES;
    const fits = fitsOf(facets, moments, { withPriors: enough, seed: this.request.seed });
    const fitted =
      fits.length === 0
        ? { priors: {}, controls: {}, probes: {} }
        : await engine.fit(fits, this.context.signal);
    const quality = new Quality(facets, fitted);
    const dev = await this.#describe('dev', quality);
    const test = await this.#describe('test');
    const threshold = thresholdOf(this.model.manifest, dev);
    const summaries = facets.map(({ facet, feature }): FacetSummary => {
      const { head } = this.model.manifest.facets[facet];
      const probed = Object.hasOwn(fitted.probes, facet);
      return {
        facet,
        source: head !== undefined ? 'head' : probed ? 'probe' : 'tensor',
        feature,
        dimensions: facts.features[facet],
        probeAccuracy: quality.ofPrior(facet),
        ...(probed && { labelAccuracy: quality.ofProbe(facet) }),
        priorSamples: enough ? counts : null,
        ...(enough ? {} : { withoutPrior: tooFew(counts) }),
      };
    });
    const closed = Object.entries(facts.withoutGradient);
    const summary: Features = {
      schema: 'facet.features/v1',
      modelDigest: this.model.digest,
      datasetDigest: this.dataset.manifest.digest,
      threshold,
      texture: facts.texture,
      facets: summaries,
      ...(closed.length === 0 ? {} : { withoutGradient: facts.withoutGradient }),
      notes: [
        ...(enough ? [] : [tooFew(counts)]),
        ...(threshold.source === 'boundary' ? [WITHOUT_DEV] : []),
        ...(closed.length === 0 ? [] : [notPossible(closed)]),
      ],
    };
    const named = <T>(fits: Readonly<Record<string, T>>): Record<string, T> =>
      Object.fromEntries(
        [TEXTURE_PRIOR, ...facets.map(({ facet }) => facet)]
          .filter((name) => Object.hasOwn(fits, priorId(name)))
          .map((name) => [name, fits[priorId(name)]]),
      );
    const { priors, controls, probes } = fitted;
    return {
      features: { summary, priors: named(priors), controls: named(controls), probes },
      scores: [...dev, ...test],
    };
  }

  /** Class-conditional moments of the train split. */
  async #moments(facts: ModelFacts, facets: readonly FacetGroups[]): Promise<GatheredMoments> {
    const { engine } = this.dependencies;
    const { signal, onProgress } = this.context;
    const indices = spread(this.dataset.count('train'), this.request.priorSamples);
    const gathered = new GatheredMoments();
    const running: { readonly images: number; readonly result: Promise<MomentsResult> }[] = [];
    let done = 0;
    const takeFirst = async (): Promise<void> => {
      const { images, result } = running.shift()!;
      await gathered.add(await result);
      done += images;
      onProgress(done, indices.length);
    };
    for await (const photos of chunks(this.dataset, 'train', indices)) {
      const labels = photos.map((photo) => photo.labels);
      const groupings = groupingsOf(facets, facts.texture, labels);
      const task = { source: this.#source, images: { photos, prepared: false }, batch: BATCH, groupings };
      const result = engine.moments(task, signal);
      result.catch(() => undefined);
      running.push({ images: photos.length, result });
      // As many chunks in memory as workers can use.
      if (running.length > engine.threads) await takeFirst();
    }
    while (running.length > 0) await takeFirst();
    return gathered;
  }

  /** What the model says of every image of a split; `quality` hears how well each fit reads it. */
  async #describe(split: 'dev' | 'test', quality?: Quality): Promise<CleanScore[]> {
    const { engine } = this.dependencies;
    const scores: CleanScore[] = [];
    const all = spread(this.dataset.count(split), Infinity);
    for await (const photos of chunks(this.dataset, split, all)) {
      const images = { photos, prepared: false };
      const task = { source: this.#source, images, batch: BATCH, features: [] };
      const readouts = quality?.readouts ?? {};
      const result = await engine.describe({ ...task, readouts }, this.context.signal);
      const labels = photos.map((photo) => photo.labels);
      quality?.add(labels, result.readouts);
      photos.forEach(({ key, labels }, i) => {
        scores.push(cleanScore(key, split, labels, result.scores[i]));
      });
    }
    return scores;
  }
}

const cleanScore = (key: string, split: 'dev' | 'test', labels: SampleLabels, score: number): CleanScore => ({
  key,
  split,
  label: labels.label,
  species: labels.spoofType ?? null,
  illumination: labels.illumination ?? null,
  attributes: labels.attributes?.join('') ?? null,
  subject: labels.subject ?? null,
  score,
});

/** Frozen here, once: equal error rate on dev unless the manifest decides; the model's own boundary without a dev split. */
function thresholdOf(manifest: ModelManifest, dev: readonly CleanScore[]): Features['threshold'] {
  if (manifest.threshold !== undefined) return { value: manifest.threshold, source: 'manifest', samples: 0 };
  const found = eerThreshold(dev.map(({ score, label }) => ({ score, live: label === 'live' })));
  if (found !== null) return { value: found, source: 'dev-eer', samples: dev.length };
  return { value: boundaryOf(manifest.output), source: 'boundary', samples: 0 };
}

const WITHOUT_DEV =
  "The dataset has no dev split with both classes: decisions are taken at the model's own boundary, not at a threshold frozen on dev.";

const tooFew = ({ live, spoof }: { live: number; spoof: number }): string =>
  `The train split has ${live} live and ${spoof} spoof samples; a prior needs ${MIN_PRIOR_SAMPLES} of each. Objectives that use one (sfa, prior-only) are left out.`;
