/**
 * What is trained in the comparison: a network with its first weights, its losses, and batches of noise with labels, drawn
 * by seed. Some samples take no part in some losses, as in training, where not every label applies to every sample.
 */
import { type BackboneName, AUXILIARY_FACETS } from '@facet/contracts';
import { trainingSpec, type TrainingBatch, type Updating } from '@facet/learning';
import { buildMultitask, Layers, type Maps } from '@facet/networks';
import { GraphBuilder, type Model, modelOf, type TrainingSpec } from '@facet/onnx';
import { Random } from '@facet/random';

export const SIZE = 64;
export const BATCH = 32;
export const LEARNING_RATE = 0.02;
export const MOMENTUM = 0.9;
export const UPDATING: Updating = {
  optimiser: { kind: 'sgd', momentum: MOMENTUM, nesterov: false, weightDecay: 1e-4 },
};
export const SEED = 2205;
const MASKED = 0.125;

export type NetworkName = 'four-blocks' | BackboneName;

export interface TrainingTask {
  readonly model: Model;
  readonly spec: TrainingSpec;
  /** Dimensions of one sample of each loss's output, by the loss's name. */
  readonly dims: Readonly<Record<string, readonly number[]>>;
}

/** Four times convolution, normalisation, ReLU and pooling, and one decision: nothing but what every network has. */
function fourBlocks(): TrainingTask {
  const builder = new GraphBuilder();
  const layers = new Layers(builder, SEED);
  builder.input('pixels', 'float32', ['N', 3, SIZE, SIZE]);
  let x: Maps = { tensor: 'pixels', channels: 3, height: SIZE, width: SIZE };
  for (const [i, channels] of [32, 64, 128, 256].entries())
    x = layers.maxPool(`pool${i}`, layers.convNormRelu(`block${i}`, x, { channels }));
  const live = layers.linear('live', layers.globalAveragePool('pooled', x), 2, 'linear').tensor;
  builder.output(live, 'float32', ['N', 2]);
  const loss = { name: 'live', kind: 'cross-entropy', output: live, target: 'target', mask: 'mask' } as const;
  return {
    model: modelOf(builder.build('four-blocks')),
    spec: { input: 'pixels', channels: 3, height: SIZE, width: SIZE, losses: [{ ...loss, weight: 1 }] },
    dims: { live: [2] },
  };
}

/** @param name a small backbone is trained with every facet */
export function trainingTask(name: NetworkName): TrainingTask {
  if (name === 'four-blocks') return fourBlocks();
  const network = buildMultitask({
    backbone: name,
    size: SIZE,
    channels: 3,
    facets: AUXILIARY_FACETS,
    seed: SEED,
  });
  const outputs = new Map(network.model.graph.outputs.map((output) => [output.name, output.dims]));
  const dimsOf = (output: string): readonly number[] => (outputs.get(output) ?? []).slice(1).map(Number);
  return {
    model: network.model,
    spec: trainingSpec(network, { lossWeights: {} }),
    dims: Object.fromEntries(
      Object.entries(network.facets).map(([facet, { head }]) => [facet, dimsOf(head!.output)]),
    ),
  };
}

/** One batch by its number. */
export function batchOf({ spec, dims }: TrainingTask, step: number, parts: number): TrainingBatch {
  const random = new Random(SEED, 'batch', step);
  const uniform = (size: number): Float32Array => Float32Array.from({ length: size }, () => random.uniform());
  const named = spec.losses.map(({ name, kind }) => {
    const size = dims[name].reduce((product, n) => product * n, 1);
    const target =
      kind === 'cross-entropy'
        ? BigInt64Array.from({ length: BATCH }, () => BigInt(Math.floor(random.uniform() * size)))
        : uniform(BATCH * size);
    const mask = uniform(BATCH).map((value) => (value < MASKED ? 0 : 1));
    return { name, target, mask };
  });
  return {
    size: BATCH,
    parts,
    pixels: uniform(BATCH * spec.channels * spec.height * spec.width),
    targets: Object.fromEntries(named.map(({ name, target }) => [name, target])),
    masks: Object.fromEntries(named.map(({ name, mask }) => [name, mask])),
  };
}
