import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findRequest, publishModel, saveRequest } from '@facet/catalog';
import { type EvaluationPlan, keys, type Ref } from '@facet/contracts';
import { openWorld, type World } from '@facet/world';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FolderStore } from '@facet/store';
import { baselineModel, finishedEvaluation, waitFor, waitingFor } from './baseline.js';
import { groupOf, planOf } from './cells.fixture.js';
import { openEvaluation } from './open.js';

const plan: EvaluationPlan = planOf([groupOf()]);
let world: World;
beforeAll(async () => {
  world = await openWorld({ train: 0, dev: 0, test: 2 });
  const { store, published } = world;
  for (const version of ['2', '9', '10'])
    await publishModel(store, published.bytes, { ...published.manifest, version });
});
afterAll(() => world.close());

const at = (version: string): Ref => ({ ...world.model, version });
/** As an evaluation leaves it that has its report. */
async function finish(evaluation: string, model: Ref): Promise<void> {
  const { store, dataset } = world;
  if ((await findRequest(store, evaluation)) === undefined)
    await saveRequest(store, { schema: 'facet.request/v1', evaluation, model, dataset, plan });
  await store.put(keys.evaluation.report(evaluation, 'json'), new Uint8Array([1]));
}

describe('baselineModel', () => {
  it('goes back by one version, as people count', async () => {
    const { store } = world;
    expect(await baselineModel(store, at('10'), 'previous')).toEqual(at('9'));
    expect(await baselineModel(store, at('9'), 'previous')).toEqual(at('2'));
    expect(await baselineModel(store, at('1'), 'previous')).toBeUndefined();
  });

  it('takes a named model that is published and is another one', async () => {
    const { store } = world;
    expect(await baselineModel(store, at('2'), at('9'))).toEqual(at('9'));
    await expect(baselineModel(store, at('2'), at('2'))).rejects.toThrow(
      'baseline: network@2 is the model itself',
    );
    await expect(baselineModel(store, at('2'), at('7'))).rejects.toThrow('there is no model network@7');
  });
});

describe('openEvaluation', () => {
  it('asks for the evaluation of the baseline first where there is none, and goes on once there is', async () => {
    const { store, dataset } = world;
    const asked = { model: at('10'), dataset, plan, baseline: 'previous' as const };
    const first = await openEvaluation(store, asked);
    expect(first).toEqual({ state: 'waiting', first: { model: at('9'), dataset, plan } });

    const before = await openEvaluation(store, { model: at('9'), dataset, plan });
    if (before.state !== 'open') throw new Error('a plain evaluation waits for nothing');
    const waiting = await waitingFor(store, before.request.evaluation);
    expect(waiting.map(({ then }) => then)).toEqual([{ type: 'evaluation.requested', data: asked }]);

    await finish(before.request.evaluation, at('9'));
    const again = await openEvaluation(store, asked);
    const baseline = { model: at('9'), evaluation: before.request.evaluation };
    expect(again).toMatchObject({ state: 'open', request: { model: at('10'), baseline } });
    expect(await openEvaluation(store, asked)).toEqual(again);
  });

  it('compares with an evaluation that there is, whatever policy it was held to', async () => {
    const { store, dataset } = world;
    await finish('network-elsewhere', at('2'));
    expect(await finishedEvaluation(store, { model: at('2'), dataset, plan })).toBe('network-elsewhere');
    expect(
      await finishedEvaluation(store, { model: at('2'), dataset, plan: { ...plan, seed: 9 } }),
    ).toBeUndefined();
    const asked = { model: at('1'), dataset, plan, baseline: at('2') };
    expect(await openEvaluation(store, asked)).toMatchObject({
      request: { baseline: { model: at('2'), evaluation: 'network-elsewhere' } },
    });
  });

  it('has nothing to compare a first version with', async () => {
    const { store, dataset } = world;
    const opened = await openEvaluation(store, { model: at('1'), dataset, plan, baseline: 'previous' });
    expect(opened).toMatchObject({ state: 'open' });
    expect(opened.state === 'open' && opened.request.baseline).toBeUndefined();
  });
});

describe('what waits', () => {
  it('is told by its name, once however often it was asked for', async () => {
    const root = await mkdtemp(join(tmpdir(), 'facet-waiting-'));
    const store = await FolderStore.open(root);
    const then = {
      type: 'evaluation.requested' as const,
      data: { model: at('1'), dataset: world.dataset, plan },
    };
    await waitFor(store, 'first', 'a', then);
    await waitFor(store, 'first', 'a', then);
    await waitFor(store, 'first', 'b', then);
    expect((await waitingFor(store, 'first')).map(({ name }) => name)).toEqual(['a', 'b']);
    expect(await waitingFor(store, 'fir')).toEqual([]);
    await rm(root, { recursive: true });
  });
});
