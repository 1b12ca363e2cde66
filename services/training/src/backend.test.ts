import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadModel, records } from '@facet/catalog';
import { Engine, share } from '@facet/engine';
import { isTerminal } from '@facet/runtime';
import { findAddon } from '@facet/tensorflow-addon';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { backendWish, chooseBackend } from './backend.js';
import { runTraining } from './train.js';
import { caught, facesOf, model, ONNX_RUNTIME, requestOf, storeOf } from './training.fixture.js';

const ADDON = { kind: 'cpu', version: '2.21.0' } as const;
const TENSORFLOW = { name: 'tensorflow', addon: ADDON } as const;

let root: string;
const engine = new Engine({ threads: 1 });
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'facet-backend-'));
});
afterAll(async () => {
  await engine.close();
  await rm(root, { recursive: true });
});

describe('the backend', () => {
  it('is what FACET_BACKEND says', () => {
    expect(backendWish({})).toBe('onnxruntime');
    expect(backendWish({ FACET_BACKEND: 'TensorFlow' })).toBe('tensorflow');
    expect(() => backendWish({ FACET_BACKEND: 'torch' })).toThrow(
      'FACET_BACKEND is "torch"; it must be one of onnxruntime, tensorflow',
    );
  });

  it('is ONNX Runtime where the addon is not built, and says how to build it', () => {
    const said: string[] = [];
    const say = (line: string): void => void said.push(line);
    expect(chooseBackend('tensorflow', ADDON, say)).toEqual(TENSORFLOW);
    expect(chooseBackend('onnxruntime', ADDON, say)).toEqual(ONNX_RUNTIME);
    expect(said).toEqual([]);
    expect(chooseBackend('tensorflow', undefined, say)).toEqual(ONNX_RUNTIME);
    expect(said).toEqual([expect.stringContaining('npm run tensorflow')]);
  });
});

describe('with TensorFlow', () => {
  const threat = { norm: 'linf', epsilon: '2/255' };
  it.each([
    ['recipe.adversarial', { adversarial: { threat } }],
    ['recipe.validation', { validation: { patience: 1 } }],
  ])('refuses %s, once and for all', async (field, recipe) => {
    const store = await storeOf(root, field, await facesOf());
    const { signal } = new AbortController();
    const context = { signal, onStep: () => undefined };
    const error = await caught(
      runTraining({ store, engine, backend: TENSORFLOW }, requestOf(recipe), context),
    );
    expect(error).toMatchObject({ name: 'InputError', field });
    expect((error as Error).message).toContain('FACET_BACKEND=onnxruntime');
    expect(isTerminal(error)).toBe(true);
  });

  const addon = findAddon();
  it.skipIf(addon === undefined)(
    'trains as ONNX Runtime does, from its checkpoint, to a network that says what trained it (TensorFlow built)',
    async () => {
      const backends = [ONNX_RUNTIME, { name: 'tensorflow', addon: addon! }] as const;
      const losses: number[][] = [];
      for (const backend of backends) {
        const store = await storeOf(root, `by ${backend.name}`, await facesOf());
        const controller = new AbortController();
        const own: number[] = [];
        const train = (signal: AbortSignal) =>
          runTraining({ store, engine, backend }, requestOf(), {
            signal,
            onStep: ({ step, losses: { live } }) => {
              own.push(live);
              if (step === 3) controller.abort(new Error('stopped'));
            },
          });
        await expect(train(controller.signal)).rejects.toThrow('stopped');
        const { digest } = await train(new AbortController().signal);
        const { bytes, manifest } = await loadModel(store, model);
        await engine.check({ digest, bytes: share(bytes), manifest });
        const name =
          backend.name === 'tensorflow' ? `TensorFlow ${addon!.version} (${addon!.kind})` : engine.backend;
        expect(await records.lineage.find(store, model)).toMatchObject({ backend: name });
        losses.push(own);
      }
      expect(losses[0]).toHaveLength(6);
      losses[1].forEach((loss, i) => expect(loss).toBeCloseTo(losses[0][i], 2));
    },
    120_000,
  );
});
