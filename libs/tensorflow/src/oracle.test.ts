import { AUXILIARY_FACETS, type ModelOutput } from '@facet/contracts';
import { buildMultitask } from '@facet/networks';
import { compileObjective, GraphBuilder, prepare, type ObjectiveSpec, type Term } from '@facet/onnx';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  distinct,
  largestDifference,
  relativeError,
  runSession,
  sessionOf,
  type Fed,
} from './onnxruntime.fixture.js';
import { TensorFlowOracle } from './oracle.js';

const N = 3;
const SIZE = 16;
const LABELS = [0, 1, 0];

/** The multitask network with its decision as probabilities as well, once behind and once without a Softmax. */
function model() {
  const network = buildMultitask({
    backbone: 'resnet-small',
    size: SIZE,
    channels: 3,
    facets: AUXILIARY_FACETS,
    seed: 3,
  });
  const { graph } = network.model;
  const b = new GraphBuilder(graph);
  const names = ['probabilities', 'clipped', 'one', 'squashed', 'half'];
  b.node('Softmax', ['live'], { axis: 1 }, 'probabilities');
  b.node('Clip', ['probabilities', b.f32(0), b.f32(1)], {}, 'clipped');
  b.node('Slice', ['live', b.i64([0]), b.i64([1]), b.i64([1])], {}, 'one');
  b.node('Sigmoid', ['one'], {}, 'squashed');
  b.node('Clip', ['squashed', b.f32(0), b.f32(1)], {}, 'half');
  const features = Object.values(network.facets).map(({ feature }) => feature);
  const keep = new Set([...names, ...features, network.texture]);
  const inputs = new Map([['pixels', [{ perSample: 1 }, 3, SIZE, SIZE]]]);
  const extended = b.build('tried');
  return {
    network,
    prepared: prepare(
      {
        ...network.model,
        graph: {
          ...extended,
          outputs: [
            ...extended.outputs,
            ...names.map((name) => ({
              name,
              type: 'float32' as const,
              dims: ['N', name === 'probabilities' || name === 'clipped' ? 2 : 1],
            })),
          ],
        },
      },
      inputs,
      { keep },
    ),
  };
}

const { network, prepared } = model();
const { facets, texture } = network;

const pixels = distinct(N * 3 * SIZE * SIZE, 4, 1 / (N * 3 * SIZE * SIZE)).map((value) => value + 0.5);
const input: ObjectiveSpec['input'] = {
  name: 'pixels',
  swapRedBlue: true,
  scale: [2, 1.5, 1],
  offset: [-0.5, 0.1, 0],
};

interface Target {
  readonly type: 'int64' | 'float32';
  readonly dims: readonly number[];
  readonly data: Float32Array;
}
const targets: Record<string, Target> = {
  class: { type: 'int64', dims: [], data: Float32Array.of(2, 0, 4) },
  bits: { type: 'float32', dims: [40], data: Float32Array.from({ length: N * 40 }, (_, i) => (i * 7) % 2) },
  map: { type: 'float32', dims: [1, 2, 2], data: distinct(N * 4, 5, 0.05).map(Math.abs) },
  pooled: { type: 'float32', dims: [32], data: distinct(N * 32, 6) },
  statistic: { type: 'float32', dims: [64], data: distinct(N * 64, 7) },
};

const weights = (length: number): Float32Array => distinct(length, 9, 0.1);
const TERMS: readonly Term[] = [
  { kind: 'cross-entropy', logits: 'illumination', target: 'class' },
  { kind: 'binary-cross-entropy', logits: 'attributes', target: 'bits' },
  { kind: 'squared-error', tensor: 'depth', target: 'map' },
  { kind: 'group-margin', logits: 'spoof-type', live: [0, 4] },
  { kind: 'probability-margin', tensor: 'probabilities', live: [0] },
  { kind: 'probability-margin', tensor: 'clipped', live: [1] },
  { kind: 'logit-margin', tensor: 'one', high: 'live' },
  { kind: 'sigmoid-margin', tensor: 'squashed', high: 'spoof' },
  { kind: 'sigmoid-margin', tensor: 'half', high: 'live' },
  { kind: 'map-margin', tensor: 'reflection', high: 'spoof' },
  { kind: 'pooled-distance', tensor: facets['depth'].feature, target: 'pooled' },
  { kind: 'linear', tensor: facets['attributes'].feature, weights: weights(32), bias: 0.3 },
  { kind: 'linear', tensor: facets['depth'].feature, weights: weights(32), bias: 0.3 },
  { kind: 'texture', tensor: texture, weights: weights(64), bias: -0.2 },
  { kind: 'projection', tensor: facets['depth'].feature, target: 'pooled' },
  { kind: 'texture-projection', tensor: texture, target: 'statistic' },
];

const used = (spec: ObjectiveSpec): [string, Target][] =>
  Object.entries(targets).filter(([name]) =>
    spec.terms.some(({ term }) => 'target' in term && term.target === name),
  );

async function byOnnxRuntime(objective: ObjectiveSpec): Promise<Record<string, Fed>> {
  const session = await sessionOf(compileObjective(prepared, objective).graph);
  const fed = used(objective).map(([name, { type, dims, data }]): [string, Fed] => [
    name,
    { dims: [N, ...dims], data: type === 'int64' ? BigInt64Array.from(data, BigInt) : data },
  ]);
  return runSession(session, {
    pixels: { dims: [N, 3, SIZE, SIZE], data: pixels },
    label: { dims: [N], data: BigInt64Array.from(LABELS, BigInt) },
    ...Object.fromEntries(fed),
  });
}

const output: ModelOutput = { kind: 'logits', name: 'live', classes: 2, live: [0] };
const oracleOf = (objective: ObjectiveSpec): TensorFlowOracle =>
  new TensorFlowOracle(tf, { graph: prepared.model.graph, objective, output, height: SIZE, width: SIZE });

async function errorOf(objective: ObjectiveSpec): Promise<{ value: number; gradient: number }> {
  const oracle = oracleOf(objective);
  const actual = await oracle.gradient({
    n: N,
    pixels,
    labels: Uint8Array.from(LABELS),
    targets: new Map(used(objective)),
  });
  oracle.close();
  const expected = await byOnnxRuntime(objective);
  return {
    value: largestDifference(actual.value, expected['value'].data as Float32Array),
    gradient: relativeError(actual.gradient, expected['gradient'].data as Float32Array),
  };
}

async function compare(objective: ObjectiveSpec): Promise<void> {
  const error = await errorOf(objective);
  expect(error.value).toBeLessThan(1e-4);
  expect(error.gradient).toBeLessThan(1e-4);
}

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('objectives against the gradient graphs that @facet/onnx compiles', () => {
  it.each(
    TERMS.map((term) => [`${term.kind} on ${'logits' in term ? term.logits : term.tensor}`, term] as const),
  )('%s', (_, term) => compare({ input, terms: [{ term, weight: 1.5 }] }));

  it.each([4, 6, 8])('the cross-entropy of a margin, and the decision beside it: term %i', async (which) => {
    const objective = {
      input,
      terms: [{ term: TERMS[which], weight: 1.5, logistic: true }],
      decision: output.name,
    };
    await compare(objective);
    const { decision } = await byOnnxRuntime(objective);
    const oracle = oracleOf(objective);
    const batch = { n: N, pixels, labels: Uint8Array.from(LABELS), targets: new Map<string, never>() };
    const { scores } = await oracle.gradient(batch);
    oracle.close();
    const logits = decision.data as Float32Array;
    for (let i = 0; i < N; i++) expect(scores[i]).toBeCloseTo(logits[2 * i] - logits[2 * i + 1], 4);
  });

  it('terms together', () =>
    compare({
      input,
      terms: [TERMS[0], TERMS[11], TERMS[13]].map((term, i) => ({ term, weight: i + 0.5 })),
    }));

  // Equal maxima of a MaxPool share their gradient there and go to one of them here. Those equal to 0 lie behind
  // a ReLU and change nothing in the pixels, but they do count in the norms at the texture tensor.
  it('terms normalised at the texture tensor: SFA', async () => {
    const terms = [TERMS[2], TERMS[12], TERMS[13]].map((term, i) => ({ term, weight: 2 - i / 2 }));
    const error = await errorOf({ input, normaliseAt: texture, terms });
    expect(error.value).toBeLessThan(1e-4);
    expect(error.gradient).toBeLessThan(0.05);
  });

  it('normalised where nothing is shared', () =>
    compare({ input, normaliseAt: texture, terms: [{ term: TERMS[13], weight: 2 }] }));
});

describe('the oracle', () => {
  const objective: ObjectiveSpec = { input, terms: [{ term: TERMS[3], weight: 1 }] };

  it('scores live against spoof', async () => {
    const oracle = oracleOf(objective);
    const scores = await oracle.scores(pixels, N);
    const { live } = await runSession(await sessionOf({ ...prepared.model.graph }), {
      pixels: {
        dims: [N, 3, SIZE, SIZE],
        data: transformed(pixels),
      },
    });
    const logits = live.data as Float32Array;
    for (let i = 0; i < N; i++) expect(scores[i]).toBeCloseTo(logits[2 * i] - logits[2 * i + 1], 4);
    oracle.close();
  });

  it('leaves no tensor behind', async () => {
    const before = tf.memory().numTensors;
    const oracle = oracleOf(objective);
    await oracle.gradient({ n: N, pixels, labels: Uint8Array.from(LABELS), targets: new Map() });
    await oracle.scores(pixels, N);
    oracle.close();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('does not begin when it is aborted', async () => {
    const oracle = oracleOf(objective);
    const aborted = AbortSignal.abort(new Error('enough'));
    await expect(oracle.scores(pixels, N, aborted)).rejects.toThrow('enough');
    oracle.close();
  });
});

/** What `input` says of pixels, by hand. */
function transformed(rgb: Float32Array): Float32Array {
  const plane = SIZE * SIZE;
  return rgb.map((_, i) => {
    const channel = Math.floor(i / plane) % 3;
    return rgb[i + (2 - 2 * channel) * plane] * input.scale[channel] + input.offset[channel];
  });
}
