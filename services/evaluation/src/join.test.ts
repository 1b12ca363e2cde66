import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCell, type PlannedEvaluation, savePlan } from '@facet/catalog';
import { keys } from '@facet/contracts';
import { FolderStore } from '@facet/store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FGSM, groupOf, linf, planOf } from './cells.fixture.js';
import { forgetFailures, Joiner } from './join.js';

const cells = ['depth', 'reflection'].map((facet) =>
  makeCell({ facet, objective: 'facet', search: FGSM, threat: linf(2) }),
);
const [a, b] = cells.map(({ id }) => id);
const planOfShards = (evaluation: string, shards = 2): PlannedEvaluation => ({
  schema: 'facet.planned/v1',
  evaluation,
  model: { name: 'm', version: '1' },
  dataset: { name: 'd', version: '1' },
  plan: planOf([groupOf()]),
  features: 'features/f',
  cells,
  shards,
});
const planned = planOfShards('e');

let root: string;
let store: FolderStore;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'facet-join-'));
  store = await FolderStore.open(root);
  await savePlan(store, planned);
});
afterEach(() => rm(root, { recursive: true }));

const put = (cell: string, shard: number, evaluation = 'e') =>
  store.put(keys.evaluation.outcomes(evaluation, cell, shard), new Uint8Array([1]));

describe('Joiner', () => {
  it('is complete with the last shard, however often others come', async () => {
    const joiner = new Joiner(store);
    expect(await joiner.take('e', a, 0)).toEqual({ state: 'open', done: 1, total: 4 });
    expect(await joiner.take('e', a, 0)).toEqual({ state: 'open', done: 1, total: 4 });
    expect(await joiner.take('e', b, 1)).toEqual({ state: 'open', done: 2, total: 4 });
    expect(await joiner.take('e', b, 0)).toEqual({ state: 'open', done: 3, total: 4 });
    expect(await joiner.take('e', a, 1)).toEqual({ state: 'complete', total: 4, planned });
  });

  it('is complete again when the last one comes again, though it has let go of the evaluation', async () => {
    const joiner = new Joiner(store);
    for (const cell of [a, b]) for (const shard of [0, 1]) await put(cell, shard);
    expect(await joiner.take('e', a, 1)).toMatchObject({ state: 'complete' });
    expect(await joiner.take('e', a, 1)).toMatchObject({ state: 'complete' });
  });

  it('goes on from what is stored, when the service was started anew', async () => {
    const first = new Joiner(store);
    await put(a, 0);
    await first.take('e', a, 0);
    await put(a, 1);
    await put(b, 0);
    const second = new Joiner(store);
    expect(await second.take('e', a, 1)).toEqual({ state: 'open', done: 3, total: 4 });
    expect(await second.take('e', b, 1)).toMatchObject({ state: 'complete' });
  });

  it('fails with the reasons once all shards have ended, and not before', async () => {
    const joiner = new Joiner(store);
    expect(await joiner.take('e', b, 1, 'no gradient')).toEqual({ state: 'open', done: 1, total: 4 });
    await joiner.take('e', b, 1, 'no gradient');
    await joiner.take('e', a, 0);
    await joiner.take('e', a, 1, 'out of memory');
    expect(await joiner.take('e', b, 0)).toEqual({
      state: 'failed',
      total: 4,
      reasons: [`${a}, shard 1: out of memory`, `${b}, shard 1: no gradient`],
    });
  });

  it('takes a shard for done that failed for one worker and was finished by another', async () => {
    const joiner = new Joiner(store);
    await joiner.take('e', a, 0, 'killed');
    await joiner.take('e', a, 0);
    await joiner.take('e', a, 1);
    await joiner.take('e', a, 1, 'killed');
    await joiner.take('e', b, 0);
    expect(await joiner.take('e', b, 1)).toMatchObject({ state: 'complete' });
  });

  it('remembers what failed when the service was started anew, until it is tried again', async () => {
    await put(a, 0);
    await new Joiner(store).take('e', a, 1, 'no gradient');
    await put(b, 0);
    expect(await new Joiner(store).take('e', b, 1)).toEqual({
      state: 'failed',
      total: 4,
      reasons: [`${a}, shard 1: no gradient`],
    });
    await put(b, 1);
    await forgetFailures(store, 'e');
    expect(await new Joiner(store).take('e', b, 1)).toEqual({ state: 'open', done: 3, total: 4 });
    expect(await new Joiner(store).take('e', a, 1)).toMatchObject({ state: 'complete' });
  });

  it('names twenty reasons and counts the others', async () => {
    await savePlan(store, planOfShards('many', 15));
    const joiner = new Joiner(store);
    for (const cell of [a, b])
      for (let shard = 0; shard < 14; shard++) await joiner.take('many', cell, shard, 'why');
    await joiner.take('many', a, 14);
    const joined = await joiner.take('many', b, 14);
    const reasons = joined.state === 'failed' ? joined.reasons : [];
    expect(reasons).toHaveLength(21);
    expect(reasons.at(-1)).toBe('and 8 more shards');
  });

  it('keeps evaluations apart, and forgets one whose plan could not be read', async () => {
    const joiner = new Joiner(store);
    await expect(joiner.take('other', a, 0)).rejects.toThrow('evaluation other has no plan');
    await savePlan(store, planOfShards('other', 1));
    expect(await joiner.take('other', a, 0)).toEqual({ state: 'open', done: 1, total: 2 });
    expect(await joiner.take('e', a, 0)).toEqual({ state: 'open', done: 1, total: 4 });
  });
});
