// TensorFlow's own library, built and trained with. Where it cannot be had, on a laptop, these tests are skipped by name; in
// CI that fails them.
import { SMALL_BACKBONES } from '@facet/contracts';
import { buildAddon } from '@facet/tensorflow-addon';
import { expect, it } from 'vitest';
import { expectEqualSteps } from '../training/equal-steps.fixture.js';
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
