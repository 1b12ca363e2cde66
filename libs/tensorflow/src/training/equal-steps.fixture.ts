/** Steps of a network in TensorFlow, whichever build of it, beside the graph that `@facet/onnx` compiles, in ONNX Runtime. */
import { AUXILIARY_FACETS, type SMALL_BACKBONES } from '@facet/contracts';
import {
  layoutOf,
  nextState,
  optimiserOf,
  type TrainerState,
  type Updating,
  withInitialMemory,
} from '@facet/learning';
import { buildMultitask, type MultitaskNetwork } from '@facet/networks';
import { compileTraining, gradientOf, initialState, lossOf, nextOf, type TrainingSpec } from '@facet/onnx';
import { expect } from 'vitest';
import {
  distinct,
  type Fed,
  largestDifference,
  runSession,
  sessionOf,
  toTf,
} from '../onnxruntime.fixture.js';
import type { TF, TfTensor } from '../tf.js';
import { TrainingGraph } from './training-graph.js';

const N = 3;
/** The smallest that has every part of a network in it: below 32 no window of the transformer is shifted. */
const SIZES: Readonly<Record<(typeof SMALL_BACKBONES)[number], number>> = {
  'vgg-small': 16,
  'resnet-small': 16,
  'densenet-small': 16,
  'swin-micro': 32,
};
const STEPS = 5;
export const RATE = 0.05;
export const SGD: Updating = {
  optimiser: { kind: 'sgd', momentum: 0.9, nesterov: false, weightDecay: 0.01 },
};
const LOSS_DIGITS = 4;

const KINDS = {
  classes: 'cross-entropy',
  'multi-label': 'binary-cross-entropy',
  map: 'binary-cross-entropy',
} as const;
const specOf = ({ input, facets, logits }: MultitaskNetwork): TrainingSpec => ({
  input: input.name,
  channels: 3,
  height: input.height,
  width: input.width,
  losses: Object.entries(facets).map(([name, { head }], i) => ({
    name,
    kind: KINDS[head!.kind],
    output: logits[name],
    target: `target.${name}`,
    mask: `mask.${name}`,
    weight: 1 / (i + 1),
  })),
});

/** Targets of every loss; some samples take no part in some of them, and none in the last one. */
function batch(spec: TrainingSpec, mapSize: number, step: number): Record<string, Fed> {
  const { channels, height, width } = spec;
  const pixels = N * channels * height * width;
  const feeds: Record<string, Fed> = {
    pixels: {
      dims: [N, channels, height, width],
      data: distinct(pixels, step, 1 / pixels).map((value) => value + 0.5),
    },
  };
  spec.losses.forEach(({ kind, name, target, mask }, i) => {
    const none = i === spec.losses.length - 1 && step === 2;
    feeds[mask] = {
      dims: [N],
      data: Float32Array.from({ length: N }, (_, n) => (none || (n + i) % 4 === 0 ? 0 : 1)),
    };
    const classes = { live: 2, 'spoof-type': 11, illumination: 5 }[name] ?? 0;
    if (kind === 'cross-entropy')
      feeds[target] = {
        dims: [N],
        data: BigInt64Array.from({ length: N }, (_, n) => BigInt((n * 3 + step) % classes)),
      };
    else if (name === 'attributes')
      feeds[target] = {
        dims: [N, 40],
        data: Float32Array.from({ length: N * 40 }, (_, n) => (n * 7 + step) % 2),
      };
    else
      feeds[target] = {
        dims: [N, 1, mapSize, mapSize],
        data: distinct(N * mapSize ** 2, step + i, 0.04).map(Math.abs),
      };
  });
  return feeds;
}

const onDevice = (tf: TF, feeds: Readonly<Record<string, Fed>>): Record<string, TfTensor> =>
  Object.fromEntries(Object.entries(feeds).map(([name, fed]) => [name, toTf(tf, fed)]));

export const uploadTo =
  (tf: TF) =>
  (state: TrainerState): Record<string, TfTensor> =>
    Object.fromEntries(
      [...state].map(([name, { dims, data }]) => [name, tf.tensor(data as Float32Array, [...dims])]),
    );

/** @param tolerance of gradients relative to their largest value, at least 1; and of running moments */
export async function expectEqualSteps(
  tf: TF,
  backbone: (typeof SMALL_BACKBONES)[number],
  { tolerance }: { readonly tolerance: number },
): Promise<void> {
  const upload = uploadTo(tf);
  const size = SIZES[backbone];
  const network = buildMultitask({ backbone, size, channels: 3, facets: AUXILIARY_FACETS, seed: 5 });
  const spec = specOf(network);
  const depth = network.model.graph.outputs.find(({ name }) => name === 'depth')!;
  const compiled = compileTraining(network.model, spec);
  const session = await sessionOf(compiled.model.graph);
  const training = new TrainingGraph(tf, network.model.graph, spec);
  const layout = layoutOf(compiled);
  expect(training.initial).toEqual(initialState(network.model, compiled));
  let state = withInitialMemory(layout, optimiserOf(SGD), training.initial);

  for (let step = 0; step < STEPS; step++) {
    const feeds = batch(spec, Number(depth.dims[2]), step);
    const fed = [...state].map(([name, { dims, data }]) => [name, { dims, data: data as Float32Array }]);
    const expected = await runSession(session, { ...feeds, ...Object.fromEntries(fed) });
    const outcome = training.step(upload(state), onDevice(tf, feeds));
    for (const { name } of spec.losses) {
      const [loss] = expected[lossOf(name)].data as Float32Array;
      expect(outcome.losses[name].dataSync()[0]).toBeCloseTo(loss, LOSS_DIGITS);
    }
    const given = new Float32Array(layout.partSize);
    for (const { name, offset } of layout.weights) {
      const gradient = expected[gradientOf(name)].data as Float32Array;
      given.set(gradient, offset);
      const difference = largestDifference(outcome.gradients[name].dataSync(), gradient);
      const scale = Math.max(1, ...gradient.map(Math.abs));
      expect(difference / scale, `${name} in step ${step + 1}`).toBeLessThan(tolerance);
    }
    for (const { name, offset } of layout.moments) {
      const moment = expected[nextOf(name)].data as Float32Array;
      given.set(moment, offset);
      expect(largestDifference(outcome.moments[name].dataSync(), moment), name).toBeLessThan(tolerance);
    }
    state = nextState(layout, SGD, state, [given], { learningRate: RATE, step });
  }
}
