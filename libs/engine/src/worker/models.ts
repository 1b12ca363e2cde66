/** The models that a worker holds: opened once per file and fit, with their sessions. */
import { inputTransform, scoresOf } from '@facet/adversary';
import { compileForward, type ForwardSpec, type PreparedModel } from '@facet/onnx';
import type { AttackSource, FacetProbe, ModelSource } from '../model-source.js';
import { openModel, type OpenedModel } from './opened-model.js';
import { f32, type Session, SessionCache } from './sessions.js';

/** Models kept open per worker; each holds its weights twice. */
const KEPT_MODELS = 4;

/**
 * One task uses up to three at a time: gradient, decision, target. Each holds the memory of its largest batch, about
 * 60 MB for 32 images of 64x64 in the demo's network, so that an idle one is dear and opening it again is cheap.
 */
const KEPT_SESSIONS = 4;

export const sessions = new SessionCache(KEPT_SESSIONS);
const models = new Map<string, OpenedModel>();

/**
 * What sessions and models are known by. One file may be published twice with other manifests, and one model fitted on
 * several datasets; `fit` names the probes.
 */
export const identityOf = ({ digest, manifest }: ModelSource, fit = ''): string =>
  JSON.stringify([digest, fit, manifest]);

export function modelOf(source: ModelSource, fit = '', probes: readonly FacetProbe[] = []): OpenedModel {
  const key = identityOf(source, fit);
  const model = models.get(key) ?? openModel(source, probes);
  models.delete(key);
  models.set(key, model);
  for (const oldest of models.keys()) {
    if (models.size <= KEPT_MODELS) break;
    models.delete(oldest);
  }
  return model;
}

type Wanted = Partial<Omit<ForwardSpec, 'input'>>;

/** A forward session of the published graph that gives the decision and what else is asked for. */
export function forwardSession(source: ModelSource, wanted: Wanted): Promise<Session> {
  return open(source, ['published', identityOf(source)], wanted, () => modelOf(source).published);
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
  const { input, output } = source.manifest;
  const session = await forwardSession(source, { outputs: [output.name] });
  const results = await session.run({ pixels: f32([n, 3, input.height, input.width], pixels) });
  return scoresOf(output, results[output.name], n);
}
