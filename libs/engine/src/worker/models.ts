/** The models that a worker holds: opened once per file and fit, with their sessions. */
import { inputTransform, scoresOf } from '@facet/adversary';
import { compileForward, type ForwardSpec, type PreparedModel } from '@facet/onnx';
import { type AttackSource, type FacetProbe, identityOf, type ModelSource } from '../model-source.js';
import { MEMORY_BYTES } from './memory.js';
import { ModelCache } from './model-cache.js';
import { openModel, type OpenedModel } from './opened-model.js';
import { f32, type Session, SessionCache } from './sessions.js';

/** Of this worker's memory; a model is only read again when another session is made of it. */
const SHARE_OF_MODELS = 0.1;

export const sessions = new SessionCache((1 - SHARE_OF_MODELS) * MEMORY_BYTES);
const models = new ModelCache(SHARE_OF_MODELS * MEMORY_BYTES);

/** Closes and drops everything: who opens a model once keeps nothing of it. */
export async function forget(): Promise<void> {
  models.clear();
  await sessions.clear();
}

export const modelOf = (source: ModelSource, fit = '', probes: readonly FacetProbe[] = []): OpenedModel =>
  models.get(identityOf(source, fit), () => openModel(source, probes));

type Wanted = Partial<Omit<ForwardSpec, 'input'>>;

/**
 * What the published graph says of pixels [n, 3, height, width] in [0,1]; every output is [n, ...]. No image's row
 * depends on the others: a graph that computes across its batch gets them one by one.
 */
export async function forward(
  source: ModelSource,
  wanted: Wanted,
  pixels: Float32Array,
  n: number,
): Promise<Record<string, Float32Array>> {
  const { height, width } = source.manifest.input;
  const { published, oneByOne } = modelOf(source);
  const session = await open(source, ['published', identityOf(source)], wanted, () => published);
  if (!oneByOne) return session.run({ pixels: f32([n, 3, height, width], pixels) });
  const joined: Record<string, Float32Array> = {};
  const size = pixels.length / n;
  for (let i = 0; i < n; i++) {
    const image = pixels.subarray(i * size, (i + 1) * size);
    const results = await session.run({ pixels: f32([1, 3, height, width], image) });
    for (const [name, row] of Object.entries(results)) {
      joined[name] ??= new Float32Array(n * row.length);
      joined[name].set(row, i * row.length);
    }
  }
  return joined;
}

/** A forward session of the prepared graph, which holds the probes too. */
export function preparedSession(source: AttackSource, wanted: Wanted): Promise<Session> {
  const { fit, probes } = source;
  return open(
    source,
    ['prepared', identityOf(source, fit)],
    wanted,
    () => modelOf(source, fit, probes).prepared,
  );
}

function open(
  source: ModelSource,
  identity: readonly string[],
  { outputs = [], pooled = [], texture }: Wanted,
  graph: () => PreparedModel,
): Promise<Session> {
  const key = JSON.stringify(['forward', ...identity, outputs, pooled, texture]);
  return sessions.get(key, 'constant', () =>
    compileForward(graph(), {
      input: inputTransform(source.manifest.input),
      outputs,
      pooled,
      ...(texture === undefined ? {} : { texture }),
    }),
  );
}

/** Decision scores [n], high for live, of pixels [n, 3, height, width] in [0,1]. */
export async function decide(source: ModelSource, pixels: Float32Array, n: number): Promise<Float64Array> {
  const { output } = source.manifest;
  const results = await forward(source, { outputs: [output.name] }, pixels, n);
  return scoresOf(output, results[output.name], n);
}
