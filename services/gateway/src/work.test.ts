/** Trainings and dead letters over HTTP: asked for, shown, replayed, dropped. */
import { type api, type DeadLetter, keys, TrainingRecipe } from '@facet/contracts';
import { encodeDeadLetter, encodeEvent, VOCABULARY } from '@facet/runtime';
import { openWorld } from '@facet/world';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ok, openTestGateway, problem, published, type TestGateway } from './gateway.fixture.js';

type World = Awaited<ReturnType<typeof openWorld>>;
type Page<T> = { items: T[]; next: string | null };

describe('a training', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld({ train: 2, dev: 2, test: 2 });
  });
  afterAll(() => world.close());

  const recipe = TrainingRecipe.parse({
    schema: 'facet.recipe/v1',
    seed: 1,
    backbone: 'resnet-small',
    facets: [],
    epochs: 1,
    batch: 2,
    parts: 1,
    learningRate: 0.1,
    optimiser: { kind: 'sgd' },
    warmupSteps: 0,
  });
  const order = (changes: object = {}) => ({
    model: { name: 'trained', version: '1' },
    dataset: world.dataset,
    recipe,
    ...changes,
  });
  let told = 0;
  const tell = ({ bus }: TestGateway, type: 'training.completed' | 'training.failed', data: object) => {
    const event = { type, data, id: `fact-${++told}`, source: '/test', time: '2026-11-01T00:00:00Z' };
    return bus.publish(encodeEvent(VOCABULARY, event as never));
  };

  it('is asked for once, fails with its reason, begins again, and ends', async () => {
    const gateway = await openTestGateway({ store: world.store });
    const { call, bus } = gateway;
    const asked = await call('/v1/trainings', { role: 'publisher', json: order() });
    const training = await ok<api.Training>(asked, 202);
    const { id } = training;
    expect(asked.headers.get('location')).toBe(`/v1/trainings/${id}`);
    expect(training).toMatchObject({ state: 'requested', sha256: null, reason: null, recipe });
    expect(await ok(call('/v1/trainings', { role: 'publisher', json: order() }))).toEqual(training);
    expect(await published(bus)).toEqual([{ subject: 'facet.events.training.requested.v1', data: order() }]);
    const shown = () => ok<api.Training>(call(`/v1/trainings/${id}`, { role: 'viewer' }));
    await world.store.put(keys.training.checkpoint(id), new Uint8Array([1]));
    expect(await shown()).toMatchObject({ state: 'running' });

    const path = `/v1/datasets/${world.dataset.name}/${world.dataset.version}`;
    const refused = await problem(call(path, { method: 'DELETE' }), 409);
    expect(refused.detail).toContain(id);

    await tell(gateway, 'training.failed', { request: order(), reason: 'the loss is no number' });
    await expect.poll(shown).toMatchObject({ state: 'failed', reason: 'the loss is no number' });
    expect(await ok(call('/v1/trainings', { json: order() }), 202)).toMatchObject({ id, state: 'running' });

    const digest = 'a'.repeat(64);
    await tell(gateway, 'training.completed', { request: order(), digest });
    await expect.poll(shown).toMatchObject({ state: 'completed', sha256: digest, reason: null });
    const { items } = await ok<Page<api.Training>>(call('/v1/trainings', { role: 'viewer' }));
    expect(items.map((one) => one.id)).toEqual([id]);
  });

  it.each<[string, () => object, string]>([
    ['of an unknown dataset', () => ({ dataset: { name: 'nobody', version: '1' } }), '#/dataset'],
    ['of a version that is there', () => ({ model: world.model }), '#/model'],
    ['of a recipe with a field too many', () => ({ recipe: { ...recipe, epoch: 3 } }), '#/recipe'],
    ['under a name with a way out', () => ({ model: { name: '../x', version: '1' } }), '#/model/name'],
  ])('%s is refused with the place', async (_, changes, pointer) => {
    const { call, bus } = await openTestGateway({ store: world.store });
    const refused = await problem(call('/v1/trainings', { json: order(changes()) }), 422);
    expect(refused.errors?.[0].pointer).toBe(pointer);
    expect(await published(bus)).toEqual([]);
  });
});

describe('dead letters', () => {
  const original = encodeEvent(VOCABULARY, {
    id: 'the-job',
    type: 'ingestion',
    source: '/test',
    time: '2026-11-01T00:00:00Z',
    data: {
      dataset: { name: 'faces', version: '1' },
      source: { kind: 'folder', path: '/nowhere' },
    },
  });
  const die = ({ bus }: TestGateway, attempts: number) =>
    bus.publish(
      encodeDeadLetter(
        { ...original, id: `job-${attempts}` },
        {
          handler: 'ingestion',
          reason: 'exhausted',
          attempts,
          time: '2026-11-01T00:00:00Z',
          error: new Error('no disk', { cause: new Error('ENOSPC') }),
        },
      ),
    );

  it('are listed in pages, shown whole, sent again once, and dropped', async () => {
    const gateway = await openTestGateway();
    const { call, bus } = gateway;
    for (let attempts = 1; attempts <= 3; attempts++) await die(gateway, attempts);
    const list = (query = '') =>
      ok<Page<api.DeadLetterEntry>>(call(`/v1/dead-letters${query}`, { role: 'operator' }));
    const { items, next } = await list('?limit=2');
    expect(items).toMatchObject([
      { sequence: 1, handler: 'ingestion', reason: 'exhausted', attempts: 1, subject: original.subject },
      { sequence: 2, error: 'Error: no disk <- Error: ENOSPC' },
    ]);
    expect((await list(`?limit=2&cursor=${next}`)).items.map(({ sequence }) => sequence)).toEqual([3]);

    const { letter } = await ok<{ letter: DeadLetter }>(call('/v1/dead-letters/2'));
    expect(Buffer.from(letter.original.data!, 'base64')).toEqual(Buffer.from(original.data));
    await ok(call('/v1/dead-letters/2/replay', { method: 'POST', role: 'operator' }), 204);
    const [again] = await bus.read('FACET_JOBS', { after: 0, limit: 10 });
    expect(Buffer.from(again.message.data)).toEqual(Buffer.from(original.data));
    await problem(call('/v1/dead-letters/2/replay', { method: 'POST' }), 404);
    await ok(call('/v1/dead-letters/1', { method: 'DELETE', role: 'operator' }), 204);
    await problem(call('/v1/dead-letters/1', { method: 'DELETE' }), 404);
    await problem(call('/v1/dead-letters/1'), 404);
    expect((await list()).items.map(({ sequence }) => sequence)).toEqual([3]);
    expect(await bus.read('FACET_JOBS', { after: 0, limit: 10 })).toHaveLength(1);
    await problem(call('/v1/dead-letters/x'), 400);
  });

  it('whose original was too large to be kept are not sent again, and stay', async () => {
    const gateway = await openTestGateway();
    const large = { ...original, data: new Uint8Array(2 ** 20) };
    const given = { handler: 'x', reason: 'invalid', attempts: 1, time: '2026-11-01T00:00:00Z' } as const;
    await gateway.bus.publish(encodeDeadLetter(large, { ...given, error: new Error('too large') }));
    const refused = await problem(gateway.call('/v1/dead-letters/1/replay', { method: 'POST' }), 409);
    expect(refused.detail).toContain('was not kept');
    await ok(gateway.call('/v1/dead-letters/1'));
  });
});
