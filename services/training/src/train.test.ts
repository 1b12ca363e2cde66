import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadModel, readSafetensors, records, sha256 } from '@facet/catalog';
import { keys } from '@facet/contracts';
import type { StoredSample } from '@facet/datasets';
import { Engine, share } from '@facet/engine';
import type { StepReport } from '@facet/learning';
import { isTerminal, NO_LOG, type ProgressReport } from '@facet/runtime';
import type { FolderStore } from '@facet/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { trainingHandlers } from './handler.js';
import { runTraining } from './train.js';
import {
  caught,
  dataset,
  facesOf,
  model,
  ONNX_RUNTIME,
  requestOf,
  SAMPLES,
  storeOf,
} from './training.fixture.js';

const MIB = 2 ** 20;
const STEPS = 2 * Math.floor(SAMPLES / 8);

let root: string;
let samples: StoredSample[];
const engine = new Engine({ threads: 2 });
let expected: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'facet-training-'));
  samples = await facesOf();
  expected = (await run(await openStore('whole'))).digest;
});
afterAll(async () => {
  await engine.close();
  await rm(root, { recursive: true });
});

const openStore = (name: string, size?: Parameters<typeof storeOf>[3]) => storeOf(root, name, samples, size);

const run = (
  store: FolderStore,
  request = requestOf(),
  { signal = new AbortController().signal, onStep = (_: StepReport): void => undefined } = {},
) => runTraining({ store, engine, backend: ONNX_RUNTIME }, request, { signal, onStep });

async function checkpointOf(store: FolderStore) {
  for await (const { key } of store.list('trainings/')) {
    const { tensors, metadata } = readSafetensors(await (await store.get(key))!.bytes(), key);
    return { key, tensors, metadata };
  }
  return undefined;
}

const progressOf = ({ metadata }: { metadata: Record<string, string> }): object =>
  JSON.parse(metadata['progress']) as object;

describe('runTraining', () => {
  it('publishes a network that is what its manifest says, with every step reported', async () => {
    const store = await openStore('published');
    const reports: StepReport[] = [];
    const { digest, ref } = await run(store, requestOf(), { onStep: (report) => reports.push(report) });
    expect(digest).toBe(expected);
    expect(ref).toEqual(model);
    expect(reports.map(({ step }) => step)).toEqual(Array.from({ length: STEPS }, (_, i) => i + 1));
    expect(Object.keys(reports[0].losses).sort()).toEqual(['attributes', 'depth', 'live']);
    const published = await loadModel(store, model);
    expect(published.manifest).toMatchObject({ ...model, sha256: expected });
    expect(await records.lineage.find(store, model)).toMatchObject({
      kind: 'training',
      backend: engine.backend,
      dataset,
    });
    expect(Object.keys(published.manifest.facets).sort()).toEqual(['attributes', 'depth', 'live']);
    await engine.check({ digest, bytes: share(published.bytes), manifest: published.manifest });
    expect(sha256(published.bytes)).toBe(digest);
  });

  it('goes on from its last checkpoint when it was stopped, to the same bytes', async () => {
    const store = await openStore('stopped');
    const controller = new AbortController();
    const reason = new Error('the process ends');
    const stopped = run(store, requestOf(), {
      signal: controller.signal,
      onStep: ({ step }) => {
        if (step === 5) controller.abort(reason);
      },
    });
    await expect(stopped).rejects.toBe(reason);
    expect(progressOf((await checkpointOf(store))!)).toMatchObject({ step: 5, epoch: 1 });
    expect(await store.get(keys.model.manifest(model))).toBeUndefined();
    const steps: number[] = [];
    const { digest } = await run(store, requestOf(), { onStep: ({ step }) => steps.push(step) });
    expect(steps).toEqual([6]);
    expect(digest).toBe(expected);
  });

  it('makes no step when it is asked for again after its end', async () => {
    const store = await openStore('again');
    await run(store);
    const steps: number[] = [];
    expect((await run(store, requestOf(), { onStep: ({ step }) => steps.push(step) })).digest).toBe(expected);
    expect(steps).toEqual([]);
  });

  it('gives the same bytes on another number of threads', async () => {
    const store = await openStore('one thread');
    const one = new Engine({ threads: 1 });
    try {
      const request = requestOf();
      const context = { signal: new AbortController().signal, onStep: () => undefined };
      expect(
        (await runTraining({ store, engine: one, backend: ONNX_RUNTIME }, request, context)).digest,
      ).toBe(expected);
    } finally {
      await one.close();
    }
  });

  it('ends as diverged when a loss is no longer a number', async () => {
    const store = await openStore('diverged');
    const error = await caught(run(store, requestOf({ learningRate: 1e30, warmupSteps: 0 })));
    expect(error).toMatchObject({ name: 'DivergedError' });
    expect(isTerminal(error)).toBe(true);
    expect(await store.get(keys.model.manifest(model))).toBeUndefined();
  });

  it('says what to do where a step outgrows its memory, keeps the last checkpoint, and goes on where there is more', async () => {
    const store = await openStore('crowded');
    const controller = new AbortController();
    const onStep = ({ step }: StepReport): void => {
      if (step === 3) controller.abort(new Error('the process ends'));
    };
    await caught(run(store, requestOf(), { signal: controller.signal, onStep }));
    const kept = (await checkpointOf(store))!;
    expect(progressOf(kept)).toMatchObject({ step: 3 });
    const crowded = new Engine({ threads: 1, memoryBytes: 2 * MIB });
    try {
      const [, work] = trainingHandlers({ store, engine: crowded, backend: ONNX_RUNTIME });
      const event = { id: '1', type: 'training', data: requestOf() } as never;
      const { signal } = new AbortController();
      const context = { signal, log: NO_LOG, progress: { report: () => undefined }, attempt: 1 };
      const error = await caught(work.handle(event, context));
      expect(error).toMatchObject({ name: 'ModelError', fault: 'limit' });
      expect(isTerminal(error)).toBe(true);
      const { message } = error as Error;
      expect(message).toMatch(/needs about \d+ MiB, and a worker may hold 2 MiB; take a smaller batch/);
      const given = work.onGivenUp!(event, { reason: 'terminal', message, attempts: 1 });
      expect(given).toMatchObject([{ type: 'training.failed', data: { reason: message } }]);
    } finally {
      await crowded.close();
    }
    expect(await checkpointOf(store)).toEqual(kept);
    expect(await store.get(keys.model.manifest(model))).toBeUndefined();
    expect((await run(store)).digest).toBe(expected);
  });

  it.each<[string, 'native' | { height: number; width: number }, object, object]>([
    ['images of their own sizes', 'native', {}, { field: 'recipe.size' }],
    ['images that are no squares', { height: 16, width: 24 }, {}, { field: 'dataset' }],
    ['images that cannot be halved three times', { height: 20, width: 20 }, {}, { field: 'dataset' }],
    ['images that are too small', { height: 8, width: 8 }, {}, { field: 'dataset' }],
    ['fewer samples than a batch', { height: 16, width: 16 }, { batch: 28 }, { field: 'recipe.batch' }],
    ['a batch without equal parts', { height: 16, width: 16 }, { parts: 3 }, { field: 'recipe.parts' }],
  ])('refuses %s, once and for all', async (name, size, recipe, fields) => {
    const store = await openStore(`refused ${name}`, size);
    const error = await caught(run(store, requestOf(recipe)));
    expect(error).toMatchObject({ name: 'InputError', ...fields });
    expect(isTerminal(error)).toBe(true);
  });

  it('refuses a dataset whose images are not of the size that it says', async () => {
    const error = await caught(run(await openStore('lying', { height: 24, width: 24 })));
    expect(error).toMatchObject({ name: 'InputError' });
    expect((error as Error).message).toContain('16x16');
  });

  it('says which checkpoint is damaged', async () => {
    const store = await openStore('damaged');
    await run(store);
    const { key } = (await checkpointOf(store))!;
    const bytes = await (await store.get(key))!.bytes();
    await store.put(key, bytes.subarray(0, bytes.length - 4));
    expect(await caught(run(store))).toMatchObject({ name: 'InputError', file: key });
  });
});

describe('the handlers', () => {
  it('turn a request into a job, and its end into facts', async () => {
    const store = await openStore('handled');
    const [accept, work] = trainingHandlers({ store, engine, backend: ONNX_RUNTIME });
    const seen: ProgressReport[] = [];
    const { signal } = new AbortController();
    const progress = { report: (report: ProgressReport) => void seen.push(report) };
    const context = { signal, log: NO_LOG, progress, attempt: 1 };
    const request = requestOf();
    const event = (type: string) => ({ id: '1', type, data: request }) as never;
    expect(await accept.handle(event('training.requested'), context)).toEqual([
      { type: 'training', subject: 'trained@1', data: request },
    ]);
    expect(await work.handle(event('training'), context)).toEqual([
      { type: 'training.completed', subject: 'trained@1', data: { request, digest: expected } },
      { type: 'model.published', subject: 'trained@1', data: { model, digest: expected } },
    ]);
    expect(seen.at(-1)).toMatchObject({ done: STEPS * 8, total: STEPS * 8 });
    const given = work.onGivenUp!(event('training'), { reason: 'terminal', message: 'why', attempts: 1 });
    expect(given).toEqual([
      { type: 'training.failed', subject: 'trained@1', data: { request, reason: 'why' } },
    ]);
  });
});
