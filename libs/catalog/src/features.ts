/** Features of a model on a dataset: a summary that people read, and the priors and probes that attacks use. */
import { type CleanScore, Features, keys, type Ref, TEXTURE } from '@facet/contracts';
import { InputError } from '@facet/runtime';
import { type ObjectStore, readJson, writeJson } from '@facet/store';
import { readScores, writeScores } from './rows.js';
import { readSafetensors, type StoredTensor, writeSafetensors } from './safetensors.js';

/** A linear function of a pooled feature. */
export interface StoredPrior {
  readonly weights: Float32Array;
  readonly bias: number;
}

/** Logits: weights [classes, dimensions], bias [classes]. */
export interface StoredProbe {
  readonly classes: number;
  readonly weights: Float32Array;
  readonly bias: Float32Array;
}

export interface StoredFeatures {
  readonly summary: Features;
  /** By facet; the texture's under {@link TEXTURE_PRIOR}. */
  readonly priors: Readonly<Record<string, StoredPrior>>;
  /** Beside every prior the directions [dimensions] that shuffled labels would have given it. */
  readonly controls: Readonly<Record<string, readonly Float32Array[]>>;
  /** By facet. */
  readonly probes: Readonly<Record<string, StoredProbe>>;
}

export const TEXTURE_PRIOR = TEXTURE;

/** What was fitted to a facet's feature, or to the texture; nothing for a name without a prior. */
export function fittedTo(
  { priors, controls }: Pick<StoredFeatures, 'priors' | 'controls'>,
  name: string,
): { readonly prior?: StoredPrior; readonly controls?: readonly Float32Array[] } {
  return {
    ...(Object.hasOwn(priors, name) && { prior: priors[name] }),
    ...(Object.hasOwn(controls, name) && { controls: controls[name] }),
  };
}

const summaryKey = (folder: string): string => `${folder}/features.json`;
/** Where {@link loadScores} reads. */
export const scoresKey = (folder: string): string => `${folder}/scores.parquet`;
const tensorsKey = (folder: string): string => `${folder}/priors.safetensors`;

/** Where the features lie that `digest` (of everything that they depend on) identifies. */
export const featuresFolder = (model: Ref, dataset: Ref, digest: string): string =>
  keys.features.folder(model, dataset, digest.slice(0, 16));

function tensorsOf({ priors, controls, probes }: StoredFeatures): Map<string, StoredTensor> {
  const tensors = new Map<string, StoredTensor>();
  for (const [name, { weights, bias }] of Object.entries(priors)) {
    tensors.set(`prior/${name}/weights`, { dims: [weights.length], data: weights });
    tensors.set(`prior/${name}/bias`, { dims: [1], data: Float64Array.of(bias) });
  }
  for (const [name, directions] of Object.entries(controls)) {
    const length = directions.at(0)?.length ?? 0;
    const data = new Float32Array(directions.length * length);
    directions.forEach((direction, i) => {
      data.set(direction, i * length);
    });
    tensors.set(`control/${name}/weights`, { dims: [directions.length, length], data });
  }
  for (const [facet, { classes, weights, bias }] of Object.entries(probes)) {
    tensors.set(`probe/${facet}/weights`, { dims: [classes, weights.length / classes], data: weights });
    tensors.set(`probe/${facet}/bias`, { dims: [classes], data: bias });
  }
  return tensors;
}

function fromTensors(
  tensors: ReadonlyMap<string, StoredTensor>,
): Pick<StoredFeatures, 'priors' | 'controls' | 'probes'> {
  const found = {
    prior: {} as Record<string, StoredPrior>,
    control: {} as Record<string, Float32Array[]>,
    probe: {} as Record<string, StoredProbe>,
  };
  for (const [name, { dims, data }] of tensors) {
    const [group, facet, part] = name.split('/');
    if (part !== 'weights') continue;
    const weights = Float32Array.from(data);
    if (group === 'control')
      found.control[facet] = Array.from({ length: dims[0] }, (_, i) =>
        weights.slice(i * dims[1], (i + 1) * dims[1]),
      );
    const bias = tensors.get(`${group}/${facet}/bias`)?.data;
    if (bias === undefined) continue;
    if (group === 'probe') found.probe[facet] = { classes: dims[0], weights, bias: Float32Array.from(bias) };
    else if (group === 'prior') found.prior[facet] = { weights, bias: bias[0] };
  }
  return { priors: found.prior, controls: found.control, probes: found.probe };
}

/** `scores`: of the dev and test splits. The summary last: features without one do not exist. */
export async function saveFeatures(
  store: ObjectStore,
  folder: string,
  features: StoredFeatures,
  scores: readonly CleanScore[],
): Promise<void> {
  await store.put(tensorsKey(folder), writeSafetensors(tensorsOf(features)));
  await store.put(scoresKey(folder), writeScores(scores));
  await writeJson(store, summaryKey(folder), features.summary);
}

export async function findFeatures(store: ObjectStore, folder: string): Promise<StoredFeatures | undefined> {
  const summary = await readJson(store, summaryKey(folder), (value) => Features.parse(value));
  const tensors = await store.get(tensorsKey(folder));
  const scores = await store.get(scoresKey(folder));
  if (summary === undefined || tensors === undefined || scores === undefined) return undefined;
  return {
    summary,
    ...fromTensors(readSafetensors(await tensors.bytes(), tensorsKey(folder)).tensors),
  };
}

/** What the model says of every clean image of dev and test. Errors: InputError where there are no features. */
export async function loadScores(store: ObjectStore, folder: string): Promise<CleanScore[]> {
  const scores = await store.get(scoresKey(folder));
  if (scores === undefined) throw new InputError('is missing', { file: scoresKey(folder) });
  return readScores(await scores.bytes(), scoresKey(folder));
}

/** Errors: InputError where there are none. */
export async function loadFeatures(store: ObjectStore, folder: string): Promise<StoredFeatures> {
  const features = await findFeatures(store, folder);
  if (features === undefined)
    throw new InputError('there are no features here', { file: summaryKey(folder) });
  return features;
}
