// TensorFlow's own library, built and trained with. Where it cannot be had, on a laptop, these tests are skipped by name; in
// CI that fails them.
import { SMALL_BACKBONES } from '@facet/contracts';
import { Layers } from '@facet/networks';
import { GraphBuilder, ModelError, modelOf, type TrainingSpec, writeModel } from '@facet/onnx';
import { buildAddon } from '@facet/tensorflow-addon';
import { expect, it } from 'vitest';
import { expectEqualSteps, SGD } from '../training/equal-steps.fixture.js';
import { TensorFlowThread } from '../training/thread.js';
import { TensorFlowTrainer } from '../training/trainer.js';
import { loadNative } from './load.js';

/** From an empty cache: 0.4 GB come over the network. */
const BUILD_MS = 10 * 60_000;

async function missing(): Promise<string | undefined> {
  try {
    await buildAddon('cpu', (line) => console.log(line));
    return undefined;
  } catch (error) {
    if (process.env['CI'] === 'true') throw error;
    const { message } = error as Error;
    console.warn(`skipped: TensorFlow's addon cannot be had here: ${message}`);
    return message;
  }
}

const problem = await missing();

it.skipIf(problem !== undefined)('is TensorFlow, not TensorFlow.js in JavaScript', () => {
  const tf = loadNative();
  expect(tf.getBackend()).toBe('tensorflow');
  expect(loadNative()).toBe(tf);
});

// Its operators for normalisation and ReLU have gradients of their own, and sum in another order.
it.skipIf(problem !== undefined).each(SMALL_BACKBONES)(
  'trains %s as ONNX Runtime does',
  (backbone) => expectEqualSteps(loadNative(), backbone, { tolerance: 5e-4 }),
  BUILD_MS,
);

it.skipIf(problem !== undefined)('trains in a thread of its own as in this one', async () => {
  const builder = new GraphBuilder();
  const layers = new Layers(builder, 7);
  const pixels = builder.input('pixels', 'float32', ['N', 3, 8, 8]);
  const maps = layers.convNormRelu(
    'maps',
    { tensor: pixels, channels: 3, height: 8, width: 8 },
    { channels: 4 },
  );
  layers.linear('live', layers.globalAveragePool('pooled', maps), 2, 'linear');
  builder.output('live', 'float32', ['N', 2]);
  const graph = builder.build('small');
  const loss = {
    name: 'live',
    kind: 'cross-entropy',
    output: 'live',
    target: 't',
    mask: 'm',
    weight: 1,
  } as const;
  const spec: TrainingSpec = { input: 'pixels', channels: 3, height: 8, width: 8, losses: [loss] };
  const task = { model: writeModel(modelOf(graph)), spec, updating: SGD };
  const batch = {
    size: 4,
    parts: 2,
    pixels: Float32Array.from({ length: 4 * 3 * 64 }, (_, i) => (i % 13) / 13),
    targets: { live: BigInt64Array.of(0n, 1n, 1n, 0n) },
    masks: { live: new Float32Array(4).fill(1) },
  };
  const thread = await TensorFlowThread.open(task, 1);
  const own = new TensorFlowTrainer(loadNative(), graph, spec, SGD);
  try {
    for (const step of [0, 1]) {
      const options = { learningRate: 0.1, step };
      const [there, here] = [await thread.step(batch, options), await own.step(batch, options)];
      expect(there.losses['live']).toBeCloseTo(here.losses['live'], 6);
    }
    const state = await thread.state();
    expect([...state.keys()].sort()).toEqual([...(await own.state()).keys()].sort());
    const next = { learningRate: 0.1, step: 2 };
    const expected = await thread.step(batch, next);
    await thread.load(state);
    expect((await thread.step(batch, next)).losses['live']).toBeCloseTo(expected.losses['live'], 6);
    const unknown = { ...spec, losses: [{ ...loss, output: 'nothing' }] };
    await expect(TensorFlowThread.open({ ...task, spec: unknown }, 1)).rejects.toMatchObject({
      name: ModelError.name,
    });
  } finally {
    await thread.close();
    await own.close();
  }
});
