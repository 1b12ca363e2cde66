/** Whether a model is what its manifest says, found out before anybody stands on it. */
import { readFile } from 'node:fs/promises';
import { decisionTerm, inputTransform } from '@facet/adversary';
import { DECISION_FACET, type ModelManifest } from '@facet/contracts';
import { compileObjective, differentiable, dominators, ModelError, parameterCount } from '@facet/onnx';
import type { ModelFile, ModelSource } from '../model-source.js';
import type { ModelFacts } from '../tasks.js';
import { decide, forget, modelOf } from './models.js';
import { type OpenedModel, pooledSize } from './opened-model.js';
import { f32, i64, Session } from './sessions.js';

/** The rank-4 tensor nearest the middle of the network that everything passes through. */
function textureOf(manifest: ModelManifest, { published }: OpenedModel): string {
  if (manifest.texture !== undefined) return manifest.texture;
  const features = Object.values(manifest.facets).map((facet) => facet.feature);
  const through = dominators(published.model.graph, manifest.input.name, [manifest.output.name, ...features]);
  // Sums of a quantised network are cast to floats before they get their scale.
  const cast = new Set(
    published.model.graph.nodes.filter(({ op }) => op === 'Cast').flatMap(({ outputs }) => outputs),
  );
  const maps = through.filter((name) => {
    const info = published.shapes.get(name);
    if (info?.dims.length !== 4 || !/float/.test(info.type) || cast.has(name)) return false;
    return name !== manifest.input.name && info.dims.slice(2).every((d) => Number(d) > 1);
  });
  if (maps.length === 0)
    throw new ModelError(
      'invalid',
      'no feature map lies on every path to the outputs; name one',
      'manifest texture',
    );
  return maps[Math.floor(maps.length / 2)];
}

/** The first node on the way from the input to a tensor that has no gradient. */
function obstacleAt(
  { prepared: { model, shapes } }: OpenedModel,
  input: string,
  tensor: string,
): string | undefined {
  const node = differentiable(model.graph, shapes, [input], [tensor]);
  return node === undefined ? undefined : `node '${node.name}' (${node.op})`;
}

/** The node in the way of each facet's own loss. */
function withoutGradient({ input, facets }: ModelManifest, opened: OpenedModel): Record<string, string> {
  return Object.fromEntries(
    Object.entries(facets).flatMap(([facet, { feature, head }]) => {
      if (facet === DECISION_FACET) return [];
      const obstacle = obstacleAt(opened, input.name, head?.output ?? feature);
      return obstacle === undefined ? [] : [[facet, obstacle]];
    }),
  );
}

const SAMPLES = 2;

/** The decision's gradient is the other graph that ONNX Runtime gets to see of a model; its numbers do not matter here. */
async function runGradient(
  { input, output }: ModelManifest,
  { prepared }: OpenedModel,
  pixels: Float32Array,
) {
  const terms = [{ term: decisionTerm(output), weight: 1 }];
  const objective = compileObjective(prepared, { input: inputTransform(input), terms });
  const session = await Session.open(objective, 'constant');
  try {
    const image = f32([SAMPLES, 3, input.height, input.width], pixels);
    await session.run({ pixels: image, label: i64([SAMPLES], [0, 1]) });
  } finally {
    await session.close();
  }
}

/**
 * Opens the model and runs it once on grey images, and the gradient of its decision.
 *
 * @returns what is in the way of that gradient, which black-box searches do not need
 */
async function tryOut(source: ModelSource, opened: OpenedModel): Promise<string | undefined> {
  const { manifest } = source;
  const { input } = manifest;
  const grey = new Float32Array(SAMPLES * 3 * input.height * input.width).fill(0.5);
  try {
    const scores = await decide(source, grey, SAMPLES);
    if (!scores.every(Number.isFinite))
      throw new ModelError(
        'invalid',
        'the decision on a grey image is not a finite number',
        manifest.output.name,
      );
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ModelError('invalid', error.message, 'manifest output', { cause: error });
  }
  const obstacle = obstacleAt(opened, input.name, manifest.output.name);
  if (obstacle !== undefined) return obstacle;
  try {
    await runGradient(manifest, opened, grey);
    return undefined;
  } catch (error) {
    if (!(error instanceof ModelError) || error.fault !== 'unsupported') throw error;
    return error.where ?? manifest.output.name;
  }
}

function factsOf({ manifest }: ModelSource, opened: OpenedModel, obstacle: string | undefined): ModelFacts {
  const features = Object.entries(manifest.facets).map(([facet, { feature }]): [string, number] => [
    facet,
    pooledSize(opened.published.shapes.get(feature)?.dims ?? [], feature),
  ]);
  return {
    inputs: opened.published.model.graph.inputs.map((value) => value.name),
    opset: opened.published.model.opset,
    parameters: parameterCount(opened.published.model.graph),
    texture: textureOf(manifest, opened),
    features: Object.fromEntries(features),
    withoutGradient: {
      ...(obstacle !== undefined && { [DECISION_FACET]: obstacle }),
      ...withoutGradient(manifest, opened),
    },
  };
}

/**
 * Whether a model can be handed to threads.
 * Errors: ModelError naming the manifest's field, the node or the tensor.
 */
export async function vet(source: ModelSource): Promise<undefined> {
  try {
    await tryOut(source, modelOf(source));
    return undefined;
  } finally {
    await forget();
  }
}

/**
 * What a model is.
 * Errors: as of {@link vet}.
 */
export async function check(source: ModelSource): Promise<ModelFacts> {
  try {
    const opened = modelOf(source);
    return factsOf(source, opened, await tryOut(source, opened));
  } finally {
    await forget();
  }
}

/**
 * What a model in a file is.
 * Errors: as of {@link vet}.
 */
export const checkFile = async ({ path, digest, manifest }: ModelFile): Promise<ModelFacts> =>
  check({ bytes: await readFile(path), digest, manifest });
