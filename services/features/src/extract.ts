/**
 * What a model's features say about live and spoof on a dataset: priors and probes from the train split, the decision
 * threshold from the dev split. Images stream through in chunks; memory does not grow with the dataset.
 */
import { balancedAccuracy, boundaryOf, MIN_PRIOR_SAMPLES } from '@facet/adversary';
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
import { type Engine, type FitResult, type ModelFacts, type MomentsResult, share } from '@facet/engine';
import { eerThreshold } from '@facet/metrics';
import type { ObjectStore } from '@facet/store';
import {
  classOf,
  controlId,
  dealClasses,
  type FacetGroups,
  fitsOf,
  groupingsOf,
  priorId,
  probeOf,
} from './groupings.js';

/** Images per task that goes to a worker; a stored shard's worth, so that each is read once. */
const CHUNK = 256;
/** Images per forward pass. */
const BATCH = 32;

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

async function labelsOf(dataset: Dataset, indices: readonly number[]): Promise<SampleLabels[]> {
  const labels: SampleLabels[] = [];
  for await (const chunk of chunks(dataset, 'train', indices))
    labels.push(...chunk.map((sample) => sample.labels));
  return labels;
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
  };
  const folder = featuresFolder(request.model, request.dataset, digestOf(identity));
  if ((await findFeatures(store, folder)) === undefined)
    await saveFeatures(
      store,
      folder,
      await new Extraction(dependencies, request, context, model, dataset).run(),
    );
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

  async run(): Promise<StoredFeatures> {
    const { engine } = this.dependencies;
    const facts = await engine.check(this.#source, this.context.signal);
    const indices = spread(this.dataset.count('train'), this.request.priorSamples);
    const labels = await labelsOf(this.dataset, indices);
    const counts = { live: labels.filter((l) => classOf(l) === 0).length, spoof: 0 };
    counts.spoof = labels.length - counts.live;
    const facets = this.#facets(labels);
    const enough = Math.min(counts.live, counts.spoof) >= MIN_PRIOR_SAMPLES;
    const moments = await this.#moments(facts, facets, labels, indices);
    const fits = fitsOf(facets, moments, enough);
    const fitted =
      fits.length === 0 ? { priors: {}, probes: {} } : await engine.fit(fits, this.context.signal);
    const tensors = facets.map(({ feature }) => feature);
    const dev = await this.#describe('dev', tensors);
    const test = await this.#describe('test', []);
    const accuracy = accuraciesOf(facets, fitted, dev);
    const threshold = thresholdOf(this.model.manifest, dev.scores);
    const summaries = facets.map(({ facet, feature, probe }): FacetSummary => {
      const head = this.model.manifest.facets[facet].head;
      return {
        facet,
        source: head !== undefined ? 'head' : probe !== undefined ? 'probe' : 'tensor',
        feature,
        dimensions: facts.features[facet],
        probeAccuracy: accuracy[facet],
        priorSamples: enough ? counts : null,
        ...(enough ? {} : { withoutPrior: tooFew(counts) }),
      };
    });
    const summary: Features = {
      schema: 'facet.features/v1',
      modelDigest: this.model.digest,
      datasetDigest: this.dataset.manifest.digest,
      threshold,
      texture: facts.texture,
      facets: summaries,
      notes: [...(enough ? [] : [tooFew(counts)]), ...(threshold.source === 'boundary' ? [WITHOUT_DEV] : [])],
    };
    const named = (id: (name: string) => string): StoredFeatures['priors'] =>
      Object.fromEntries(
        [TEXTURE_PRIOR, ...facets.map(({ facet }) => facet)].flatMap((name) => {
          const prior = fitted.priors[id(name)];
          return prior === undefined ? [] : [[name, prior] as const];
        }),
      );
    return {
      summary,
      priors: named(priorId),
      controls: named(controlId),
      probes: fitted.probes,
      scores: [...dev.scores, ...test.scores],
    };
  }

  #facets(labels: readonly SampleLabels[]): FacetGroups[] {
    return Object.entries(this.model.manifest.facets)
      .filter(([facet]) => facet !== DECISION_FACET)
      .map(([facet, { feature, head }]) => ({ facet, feature, probe: probeOf(facet, head, labels) }));
  }

  async #moments(
    facts: ModelFacts,
    facets: readonly FacetGroups[],
    labels: readonly SampleLabels[],
    indices: readonly number[],
  ): Promise<MomentsResult[]> {
    const classes = dealClasses(labels, this.request.seed);
    const results: Promise<MomentsResult>[] = [];
    let from = 0;
    let done = 0;
    for await (const photos of chunks(this.dataset, 'train', indices)) {
      const range = { from, to: from + photos.length };
      const groupings = groupingsOf(facets, facts.texture, labels, classes, range);
      const task = { source: this.#source, images: { photos, prepared: false }, batch: BATCH, groupings };
      const result = this.dependencies.engine.moments(task, this.context.signal).then((found) => {
        done += photos.length;
        this.context.onProgress(done, indices.length);
        return found;
      });
      results.push(result);
      from = range.to;
      // As many chunks in memory as workers can use.
      await results.at(-this.dependencies.engine.threads);
    }
    return Promise.all(results);
  }

  /** Scores of a split, and the features where they are wanted. */
  async #describe(split: 'dev' | 'test', features: readonly string[]): Promise<Described> {
    const scores: CleanScore[] = [];
    const found = new Map<string, Float32Array[]>();
    for await (const photos of chunks(this.dataset, split, spread(this.dataset.count(split), Infinity))) {
      const images = { photos, prepared: false };
      const task = { source: this.#source, images, batch: BATCH, features };
      const result = await this.dependencies.engine.describe(task, this.context.signal);
      photos.forEach(({ key, labels }, i) => {
        const { label, spoofType } = labels;
        scores.push({ key, split, label, species: spoofType ?? null, score: result.scores[i] });
      });
      for (const [name, values] of Object.entries(result.features))
        found.set(name, [...(found.get(name) ?? []), values]);
    }
    return { scores, features: new Map([...found].map(([name, parts]) => [name, concat(parts)])) };
  }
}

interface Described {
  readonly scores: readonly CleanScore[];
  /** [n, size] by tensor. */
  readonly features: ReadonlyMap<string, Float32Array>;
}

/** How well each prior separates live from spoof on the dev split. */
function accuraciesOf(
  facets: readonly FacetGroups[],
  { priors }: FitResult,
  dev: Described,
): Record<string, number | null> {
  const labels = Uint8Array.from(dev.scores, ({ label }) => (label === 'live' ? LIVE : SPOOF));
  return Object.fromEntries(
    facets.map(({ facet, feature }) => {
      const prior = priors[priorId(facet)];
      const values = dev.features.get(feature);
      return [facet, prior && values ? balancedAccuracy(prior, values, labels) : null];
    }),
  );
}

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

function concat(parts: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}
