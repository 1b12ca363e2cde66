import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { loadPlan, makeCell, type PlannedEvaluation, savePlan } from '@facet/catalog';
import { keys } from '@facet/contracts';
import { FolderStore } from '@facet/store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FGSM, groupOf, linf, planOf } from './cells.fixture.js';
import { withoutFailed } from './failed.js';
import { type Ended, forgetFailures, type Joined, Joiner, type Place } from './join.js';
import { LANES } from './lanes.js';
import { ShardSet } from './shard-set.js';

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

const end = (evaluation: string, cell: string, shard: number, reason?: string): Ended => ({
  evaluation,
  cell,
  shard,
  reason,
  event: `${cell}/${shard}`,
});

/** What is still in use. */
function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

describe('Joiner', () => {
  it('is complete with the last shard, however often others come', async () => {
    const joiner = new Joiner(store);
    expect(await joiner.take(end('e', a, 0))).toMatchObject({ state: 'open', done: 1, total: 4 });
    expect(await joiner.take(end('e', a, 0))).toMatchObject({ state: 'open', done: 1, total: 4 });
    expect(await joiner.take(end('e', b, 1))).toMatchObject({ state: 'open', done: 2, total: 4 });
    expect(await joiner.take(end('e', b, 0))).toMatchObject({ state: 'open', done: 3, total: 4 });
    expect(await joiner.take(end('e', a, 1))).toEqual({ state: 'complete', total: 4, planned });
  });

  it('is complete again when the last one comes again, though it has let go of the evaluation', async () => {
    const joiner = new Joiner(store);
    for (const cell of [a, b]) for (const shard of [0, 1]) await put(cell, shard);
    expect(await joiner.take(end('e', a, 1))).toMatchObject({ state: 'complete' });
    expect(await joiner.take(end('e', a, 1))).toMatchObject({ state: 'complete' });
  });

  it('goes on from what is stored, when the service was started anew', async () => {
    const first = new Joiner(store);
    await put(a, 0);
    await first.take(end('e', a, 0));
    await put(a, 1);
    await put(b, 0);
    const second = new Joiner(store);
    expect(await second.take(end('e', a, 1))).toMatchObject({ state: 'open', done: 3, total: 4 });
    expect(await second.take(end('e', b, 1))).toMatchObject({ state: 'complete' });
  });

  it('fails with the reasons once all shards have ended, and not before', async () => {
    const joiner = new Joiner(store);
    expect(await joiner.take(end('e', b, 1, 'no gradient'))).toMatchObject({
      state: 'open',
      done: 1,
      total: 4,
    });
    await joiner.take(end('e', b, 1, 'no gradient'));
    await joiner.take(end('e', a, 0));
    await joiner.take(end('e', a, 1, 'out of memory'));
    expect(await joiner.take(end('e', b, 0))).toEqual({
      state: 'failed',
      total: 4,
      reasons: [`${a}, shard 1: out of memory`, `${b}, shard 1: no gradient`],
    });
  });

  it('is complete without the cells that failed where the plan wants them marked, if there are others', async () => {
    await savePlan(store, {
      ...planOfShards('marked'),
      plan: planOf([groupOf()], { failedCells: 'mark' }),
    });
    const joiner = new Joiner(store);
    for (const shard of [0, 1]) await put(b, shard, 'marked');
    await joiner.take(end('marked', a, 0, 'died'));
    const complete = await joiner.take(end('marked', a, 1, 'died'));
    expect(complete.state).toBe('complete');
    const planned = await loadPlan(store, 'marked');
    const { attacked, failed } = await withoutFailed(store, planned);
    expect(attacked.cells.map(({ id }) => id)).toEqual([b]);
    expect(failed).toMatchObject([{ id: a, facet: 'depth', shards: 2, reason: 'died' }]);
    // What is given up by one worker and finished by another has not failed.
    for (const shard of [0, 1]) await put(a, shard, 'marked');
    expect(await withoutFailed(store, planned)).toEqual({ attacked: planned, failed: [] });
    await savePlan(store, {
      ...planOfShards('hopeless', 1),
      plan: planOf([groupOf()], { failedCells: 'mark' }),
    });
    await joiner.take(end('hopeless', a, 0, 'died'));
    expect(await joiner.take(end('hopeless', b, 0, 'died'))).toMatchObject({ state: 'failed', total: 2 });
  });

  it('takes a shard for done that failed for one worker and was finished by another', async () => {
    const joiner = new Joiner(store);
    await joiner.take(end('e', a, 0, 'killed'));
    await joiner.take(end('e', a, 0));
    await joiner.take(end('e', a, 1));
    await joiner.take(end('e', a, 1, 'killed'));
    await joiner.take(end('e', b, 0));
    expect(await joiner.take(end('e', b, 1))).toMatchObject({ state: 'complete' });
  });

  it('remembers what failed when the service was started anew, until it is tried again', async () => {
    await put(a, 0);
    await new Joiner(store).take(end('e', a, 1, 'no gradient'));
    await put(b, 0);
    expect(await new Joiner(store).take(end('e', b, 1))).toEqual({
      state: 'failed',
      total: 4,
      reasons: [`${a}, shard 1: no gradient`],
    });
    await put(b, 1);
    await forgetFailures(store, 'e');
    expect(await new Joiner(store).take(end('e', b, 1))).toMatchObject({ state: 'open', done: 3, total: 4 });
    expect(await new Joiner(store).take(end('e', a, 1))).toMatchObject({ state: 'complete' });
  });

  it('names twenty reasons and counts the others', async () => {
    await savePlan(store, planOfShards('many', 15));
    const joiner = new Joiner(store);
    for (const cell of [a, b])
      for (let shard = 0; shard < 14; shard++) await joiner.take(end('many', cell, shard, 'why'));
    await joiner.take(end('many', a, 14));
    const joined = await joiner.take(end('many', b, 14));
    const reasons = joined.state === 'failed' ? joined.reasons : [];
    expect(reasons).toHaveLength(21);
    expect(reasons.at(-1)).toBe('and 8 more shards');
  });

  it('queues one shard of each lane, and the next one when it has ended, whatever is finished already', async () => {
    const shards = 2 * LANES;
    await savePlan(store, planOfShards('large', shards));
    await put(a, 1, 'large');
    const joiner = new Joiner(store);
    const begun = await joiner.begin('large', 'planned');
    expect(begun).toMatchObject({ state: 'open', done: 1, total: 4 * LANES });
    const first = begun.state === 'open' ? begun.next : [];
    expect(first).toHaveLength(LANES);
    expect(first[0]).toEqual({ cell: 0, shard: 0 });
    expect(first[1]).toEqual({ cell: 0, shard: LANES + 1 });
    const next = { next: [{ cell: 0, shard: LANES }] };
    expect(await joiner.take(end('large', a, 0))).toMatchObject(next);
    // Its publishing may have failed: the same event queues the same again, another event does not.
    expect(await joiner.take(end('large', a, 0))).toMatchObject(next);
    expect(await joiner.take({ ...end('large', a, 0), event: 'again' })).toMatchObject({ next: [] });
    expect(await joiner.take(end('large', a, LANES))).toMatchObject({ next: [{ cell: 1, shard: 0 }] });
    expect(await joiner.take(end('large', 'of-another-plan', 0))).toMatchObject({ next: [] });
    // A process that is new knows nothing of what was queued: it may come twice, and is never left out.
    await put(a, 0, 'large');
    expect(await new Joiner(store).take({ ...end('large', a, 0), event: 'other' })).toMatchObject(next);
  });

  it('carries 100,000 shards to their end in constant memory, each by one step, with few jobs queued at any time', async () => {
    const shards = 50_000;
    await savePlan(store, planOfShards('huge', shards));
    // A plan names cells; how many shards each has is a number.
    expect((await store.get(keys.evaluation.plan('huge')))!.size).toBeLessThan(2_000);
    let asked = 0;
    const counting = new Proxy(store, {
      get: (target, name) => {
        const own: unknown = Reflect.get(target, name);
        if (typeof own !== 'function') return own;
        return (...args: unknown[]) => {
          asked++;
          return (own as (...given: unknown[]) => unknown).apply(target, args);
        };
      },
    });
    const joiner = new Joiner(counting);
    const before = heapBytes();
    const begun = await joiner.begin('huge', 'planned');
    const askedToBegin = asked;
    const queue = begun.state === 'open' ? [...begun.next] : [];
    const seen = new ShardSet(2 * shards);
    let [most, grown] = [0, 0];
    let last: string = begun.state;
    for (let place = queue.shift(); place !== undefined; place = queue.shift()) {
      seen.add(place.cell * shards + place.shard);
      const joined = await joiner.take(end('huge', [a, b][place.cell], place.shard));
      last = joined.state;
      if (joined.state === 'open') queue.push(...joined.next);
      most = Math.max(most, queue.length);
      if (seen.size === 1.9 * shards) grown = heapBytes() - before;
    }
    expect([seen.size, last, most < LANES + 1]).toEqual([100_000, 'complete', true]);
    // The store is read to begin, and never again however many shards end.
    expect([asked, askedToBegin < 10]).toEqual([askedToBegin, true]);
    expect(grown).toBeLessThan(4 * 2 ** 20);
  });

  it('lets a small evaluation that comes behind a huge one end after a few of its jobs', async () => {
    await savePlan(store, planOfShards('huge', 50_000));
    const joiner = new Joiner(store);
    const queue: { evaluation: string; place: Place }[] = [];
    const enqueue = (evaluation: string, joined: Joined) => {
      if (joined.state === 'open') queue.push(...joined.next.map((place) => ({ evaluation, place })));
    };
    enqueue('huge', await joiner.begin('huge', 'planned'));
    enqueue('e', await joiner.begin('e', 'planned'));
    let done = 0;
    for (let ended = ''; ended !== 'e'; done++) {
      const { evaluation, place } = queue.shift()!;
      const joined = await joiner.take(end(evaluation, [a, b][place.cell], place.shard));
      enqueue(evaluation, joined);
      if (joined.state === 'complete') ended = evaluation;
    }
    // Those of the huge one that were queued before it, and its own four.
    expect(done).toBe(LANES + 4);
  });

  it('keeps evaluations apart, and forgets one whose plan could not be read', async () => {
    const joiner = new Joiner(store);
    await expect(joiner.take(end('other', a, 0))).rejects.toThrow('evaluation other has no plan');
    await savePlan(store, planOfShards('other', 1));
    expect(await joiner.take(end('other', a, 0))).toMatchObject({ state: 'open', done: 1, total: 2 });
    expect(await joiner.take(end('e', a, 0))).toMatchObject({ state: 'open', done: 1, total: 4 });
  });
});
