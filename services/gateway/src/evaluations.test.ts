/** Evaluations over HTTP: asked for, followed, cancelled, shown; by facts as services tell them and objects as they store. */
import { BusError, InProcessBus } from '@facet/bus';
import { saveRequest, writeOutcomes } from '@facet/catalog';
import { type api, EvaluationPlan, type Fact, type FactType, keys, Policy, STREAMS } from '@facet/contracts';
import { writeShard } from '@facet/datasets';
import { encodeEvent, VOCABULARY } from '@facet/runtime';
import { writeJson } from '@facet/store';
import { openWorld } from '@facet/world';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { keysOf, ok, openTestGateway, problem, published, type TestGateway } from './gateway.fixture.js';

type World = Awaited<ReturnType<typeof openWorld>>;
let world: World;
let gateway: TestGateway;
beforeAll(async () => {
  world = await openWorld({ train: 2, dev: 2, test: 2 });
});
afterAll(() => world.close());
beforeEach(async () => {
  for (const prefix of ['evaluations/', 'audit/', 'idempotency/'])
    for (const key of await keysOf(world.store, prefix)) await world.store.delete(key);
  gateway = await openTestGateway({ store: world.store });
});

const plan = EvaluationPlan.parse({
  schema: 'facet.plan/v1',
  name: 'small',
  seed: 1,
  samples: 2,
  batch: 2,
  shard: 1,
  priorSamples: 10,
  attacks: [
    { objectives: ['direct'], searches: [{ name: 'fgsm' }], threats: [{ norm: 'linf', epsilon: '2/255' }] },
  ],
});
const policy = Policy.parse({ schema: 'facet.policy/v1', name: 'strict' });
const order = (changes: object = {}) => ({
  model: world.model,
  dataset: world.dataset,
  plan,
  policy,
  ...changes,
});
const CELL = 'live.direct.fgsm.linf-2_255';

let told = 0;
async function tell<T extends FactType>(type: T, data: Fact<T>): Promise<void> {
  const event = { type, data, id: `fact-${++told}`, source: '/test', time: '2026-11-01T00:00:00Z' };
  await gateway.bus.publish(encodeEvent(VOCABULARY, event as never));
}

const request = (changes?: object) =>
  ok<api.EvaluationDetail>(gateway.call('/v1/evaluations', { role: 'publisher', json: order(changes) }), 202);
const get = (id: string) =>
  ok<api.EvaluationDetail>(gateway.call(`/v1/evaluations/${id}`, { role: 'viewer' }));
const planned = (id: string, shards = 2) =>
  tell('evaluation.planned', {
    evaluation: id,
    model: world.model,
    dataset: world.dataset,
    cells: 1,
    shards,
  });

const verdictOf = (passed: boolean) => ({ policy: 'strict', passed, checks: [] });

/** As the evaluation service ends one; a stored summary stands for the whole report. */
async function complete(id: string, passed = true, worstAuc = 0.4): Promise<void> {
  const verdict = verdictOf(passed);
  const summary: api.EvaluationSummary = {
    schema: 'facet.summary/v1',
    verdict,
    modelDigest: world.published.digest,
    datasetDigest: 'd'.repeat(64),
    planDigest: 'e'.repeat(64),
    cleanAcer: 0.1,
    cleanAuc: 0.9,
    worstAuc,
    worstAttackSuccess: 0.5,
    failedCells: 0,
    worstCell: CELL,
    weakestFacet: null,
  };
  await writeJson(world.store, keys.evaluation.summary(id), summary);
  await world.store.put(keys.evaluation.report(id, 'html'), Buffer.from('<h1>report</h1>'));
  await writeJson(world.store, keys.evaluation.report(id, 'json'), { schema: 'facet.report/v1' });
  await tell('evaluation.completed', {
    evaluation: id,
    model: world.model,
    dataset: world.dataset,
    report: keys.evaluation.report(id, 'json'),
    verdict,
  });
}

describe('an evaluation', () => {
  it('is asked for once, however often it is asked for, and goes its way', async () => {
    const asked = await request();
    const { id } = asked;
    expect(asked).toMatchObject({ state: 'requested', total: 0, plan: { name: 'small' }, ended: null });
    expect(await ok(gateway.call('/v1/evaluations', { json: order() }))).toMatchObject({ id });
    expect(await published(gateway.bus)).toHaveLength(1);
    await planned(id);
    await tell('attack.completed', { evaluation: id, cell: CELL, shard: 0 });
    await tell('attack.completed', { evaluation: id, cell: CELL, shard: 0 });
    await expect.poll(() => get(id)).toMatchObject({ state: 'running', done: 1, total: 2 });
    await complete(id);
    await expect.poll(() => get(id)).toMatchObject({ state: 'completed', passed: true });
    const { summary, ended } = await get(id);
    expect(summary).toMatchObject({ worstCell: CELL, verdict: { policy: 'strict' } });
    expect(ended).not.toBeNull();
    expect(await ok(gateway.call('/v1/evaluations', { json: order() }))).toMatchObject({ id });
    const html = await gateway.call(`/v1/evaluations/${id}/report?format=html`, { role: 'viewer' });
    expect(await html.text()).toBe('<h1>report</h1>');
    expect(html.headers.get('content-security-policy')).toContain("default-src 'none'");
    await problem(gateway.call(`/v1/evaluations/${id}/report?format=junit`), 404);
    await problem(gateway.call(`/v1/evaluations/${id}/report?format=exe`), 400);
  });

  it('is what the store says, after a restart too: states, counts and reasons', async () => {
    const { id } = await request();
    await planned(id, 3);
    await world.store.put(keys.evaluation.outcomes(id, CELL, 0), new Uint8Array([1]));
    await writeJson(world.store, keys.evaluation.failure(id, CELL, 1), { cell: CELL, shard: 1, reason: 'x' });
    const cells = [
      {
        id: CELL,
        facet: 'live',
        objective: 'direct',
        search: { name: 'fgsm' },
        threat: { norm: 'linf', epsilon: 2 / 255 },
      },
    ];
    await writeJson(world.store, keys.evaluation.plan(id), {
      schema: 'facet.planned/v1',
      evaluation: id,
      model: world.model,
      dataset: world.dataset,
      plan,
      features: 'f',
      cells,
      shards: 3,
    });
    const again = await openTestGateway({ store: world.store });
    const shown = (path: string) => ok<api.EvaluationDetail>(again.call(path));
    expect(await shown(`/v1/evaluations/${id}`)).toMatchObject({
      state: 'running',
      done: 1,
      failed: 1,
      total: 3,
    });
    await tell('evaluation.failed', { evaluation: id, reasons: ['no memory'] });
    await expect.poll(() => get(id)).toMatchObject({ state: 'failed', reasons: ['no memory'] });
    await expect.poll(() => keysOf(world.store, keys.evaluation.failed(id))).toHaveLength(1);
    const third = await openTestGateway({ store: world.store });
    expect(await ok(third.call(`/v1/evaluations/${id}`))).toMatchObject({
      state: 'failed',
      reasons: ['no memory'],
    });
    expect(await request()).toMatchObject({ id, state: 'running', reasons: [] });
  });

  it.each<[string, object, string]>([
    ['an unknown model', { model: { name: 'nobody', version: '1' } }, '#/model'],
    ['an unknown dataset', { dataset: { name: 'nobody', version: '1' } }, '#/dataset'],
    [
      'a facet that the model has not',
      { plan: { ...plan, attacks: [{ ...plan.attacks[0], facets: ['nose'] }] } },
      '#/plan/attacks/0/facets',
    ],
    ['a way out as a name', { model: { name: '../tokens/admin', version: '1' } }, '#/model/name'],
    ['a way out as a version', { dataset: { name: 'a', version: '../../x' } }, '#/dataset/version'],
    ['a field too many', { surprise: 1 }, '#'],
  ])('is refused with the place: %s', async (_, changes, pointer) => {
    const refused = await problem(gateway.call('/v1/evaluations', { json: order(changes) }), 422);
    expect(refused.errors?.[0].pointer).toContain(pointer);
    expect(await keysOf(world.store, 'evaluations/')).toEqual([]);
    expect(await published(gateway.bus)).toEqual([]);
  });

  it('can be cancelled while it runs, and begins again when it is asked for again', async () => {
    const { id } = await request();
    const cancel = () => gateway.call(`/v1/evaluations/${id}/cancel`, { method: 'POST', role: 'operator' });
    expect(await ok(cancel())).toMatchObject({ state: 'cancelled' });
    expect(await ok(cancel())).toMatchObject({ state: 'cancelled' });
    expect(await keysOf(world.store, keys.evaluation.cancelled(id))).toHaveLength(1);
    expect((await published(gateway.bus)).at(-1)?.subject).toBe('facet.events.evaluation.cancelled.v1');
    expect(await request()).toMatchObject({ id, state: 'requested' });
    await complete(id);
    await expect.poll(() => get(id)).toMatchObject({ state: 'completed' });
    await problem(cancel(), 409);
  });

  it('gives its model a stage by the verdicts, and a place on the board of its data and plan', async () => {
    const stage = async () =>
      (await ok<api.ModelDetail>(gateway.call(`/v1/models/${world.model.name}/${world.model.version}`)))
        .stage;
    expect(await stage()).toBe('candidate');
    const first = await request();
    await complete(first.id, true, 0.3);
    await expect.poll(stage).toBe('approved');
    const second = await request({ policy: { ...policy, name: 'stricter' } });
    await complete(second.id, false, 0.2);
    await expect.poll(stage).toBe('rejected');
    expect(await ok(gateway.call('/v1/models?stage=rejected'))).toMatchObject({
      items: [{ name: 'network' }],
    });
    expect(await ok(gateway.call('/v1/models?stage=approved'))).toMatchObject({ items: [] });
    const { boards } = await ok<api.Leaderboard>(gateway.call('/v1/leaderboard'));
    expect(boards).toHaveLength(1);
    expect(boards[0].rows).toMatchObject([{ rank: 1, evaluation: first.id, summary: { worstAuc: 0.3 } }]);
    expect(await ok(gateway.call('/v1/leaderboard?plan=other'))).toEqual({ boards: [] });
  });

  it('comes in pages that together hold each once, also while others are added', async () => {
    const ids: string[] = [];
    for (let seed = 0; seed < 5; seed++) ids.push((await request({ plan: { ...plan, seed } })).id);
    const seen: string[] = [];
    let next: string | null = '';
    do {
      const cursor: string = next === '' ? '' : `&cursor=${next}`;
      const page: { items: api.Evaluation[]; next: string | null } = await ok(
        gateway.call(`/v1/evaluations?limit=2&model=network@1${cursor}`),
      );
      expect(page.items.length).toBeLessThanOrEqual(2);
      seen.push(...page.items.map(({ id }) => id));
      ({ next } = page);
    } while (next !== null);
    expect(seen).toEqual([...ids].sort());
    expect(await ok(gateway.call('/v1/evaluations?state=failed'))).toEqual({ items: [], next: null });
    await problem(gateway.call('/v1/evaluations?cursor=bm9uc2Vuc2U'), 400);
    await problem(gateway.call('/v1/evaluations?limit=0'), 400);
    await problem(gateway.call('/v1/evaluations?model=network'), 400);
  });
});

interface Event {
  readonly id: string;
  readonly progress: api.EvaluationProgress;
}

/** Reads events until the stream ends or `enough` says so. */
async function listen(id: string, lastEventId?: string, enough: (event: Event) => boolean = () => false) {
  const stop = new AbortController();
  const answer = await fetch(`${gateway.url}/v1/evaluations/${id}/events`, {
    signal: stop.signal,
    headers: {
      authorization: `Bearer ${gateway.tokens.viewer}`,
      ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
    },
  });
  if (answer.status === 204) return { status: 204, events: [] };
  const events: Event[] = [];
  let text = '';
  for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const [, eventId, data] = /id: (.*)\nevent: progress\ndata: (.*)/.exec(text.slice(0, end)) ?? [];
      text = text.slice(end + 2);
      if (eventId === undefined) continue;
      const event = { id: eventId, progress: JSON.parse(data) as api.EvaluationProgress };
      events.push(event);
      if (enough(event)) {
        stop.abort();
        return { status: answer.status, events };
      }
    }
  }
  return { status: answer.status, events };
}

describe('live progress', () => {
  it('begins with the state, goes on where a connection broke, and ends with the end', async () => {
    const { id } = await request();
    await planned(id);
    const first = await listen(id, undefined, () => true);
    expect(first.events[0].progress).toMatchObject({ id, total: expect.any(Number) });
    const following = listen(id, first.events[0].id);
    await tell('attack.completed', { evaluation: id, cell: CELL, shard: 0 });
    await tell('attack.completed', { evaluation: id, cell: CELL, shard: 1 });
    await complete(id, false);
    const { events } = await following;
    const ids = [...first.events, ...events].map((event) => event.id);
    expect(new Set(ids).size).toBe(ids.length);
    const sequences = ids.map((eventId) => Number(eventId.split('.')[1]));
    expect([...sequences].sort((a, b) => a - b)).toEqual(sequences);
    expect(events.at(-1)!.progress).toMatchObject({ state: 'completed', passed: false, done: 2, total: 2 });
    expect(await listen(id, events.at(-1)!.id)).toMatchObject({ status: 204 });
    expect((await listen(id)).events).toMatchObject([{ progress: { state: 'completed' } }]);
    expect((await listen(id, 'from-another-life.3.running')).events).toHaveLength(1);
  });

  it('that the bus refuses for good is no reason to try for ever', async () => {
    const bus = new InProcessBus(STREAMS);
    vi.spyOn(bus, 'follow').mockImplementation(() => {
      throw new BusError('forbidden', 'stream FACET_EVENTS: this user may not do that');
    });
    const { lines } = await openTestGateway({ store: world.store, bus });
    await expect.poll(() => lines).toContain('broken: stream FACET_EVENTS: this user may not do that');
  });

  it('of what is not there is not there', async () => {
    await problem(gateway.call('/v1/evaluations/nothing/events'), 404);
  });
});

describe('images', () => {
  const png = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABh6FO1AAAAABJRU5ErkJggg==',
    'base64',
  );

  it('come by links that open one thing, for a while, and cannot be made up', async () => {
    const { id } = await request();
    const shard = await writeShard([{ key: 's1', png, labels: { label: 'live' } }]);
    await world.store.put(keys.evaluation.images(id, CELL, 0), shard);
    let time = Date.now();
    const timed = await openTestGateway({ store: world.store, now: () => time });
    const path = `/v1/evaluations/${id}/images?cell=${CELL}`;
    const { images, archive } = await ok<{ images: { sample: string; link: string }[]; archive: string }>(
      timed.call(path, { role: 'viewer' }),
    );
    expect(images.map(({ sample }) => sample)).toEqual(['s1']);
    const open = (link: string) => timed.call(link, { role: 'none' });
    const image = await open(images[0].link);
    expect(image.headers.get('content-type')).toBe('image/png');
    expect(Buffer.from(await image.arrayBuffer()).equals(png)).toBe(true);
    expect(Buffer.from(await (await open(archive)).arrayBuffer()).equals(Buffer.from(shard))).toBe(true);
    const [text, signature] = images[0].link.split('/').at(-1)!.split('.');
    const forged = Buffer.from(
      Buffer.from(text, 'base64url').toString().replace('evaluations/', 'tokens/'),
    ).toString('base64url');
    await problem(open(`/v1/links/${forged}.${signature}`), 404);
    await problem(open(`/v1/links/${text}.${'A'.repeat(43)}`), 404);
    time += 16 * 60_000;
    await problem(open(images[0].link), 410);
    await problem(timed.call(`/v1/evaluations/${id}/images?cell=../x`), 400);
    await problem(timed.call(`${path}&shard=7`), 404);
  });
});

describe('deleting a dataset', () => {
  it('waits for nothing to run, then takes all that derives from it and nothing else', async () => {
    const own = await openWorld({ train: 2, dev: 2, test: 2 });
    const { call, tokens } = await openTestGateway({ store: own.store });
    expect(tokens.operator).toBeDefined();
    const path = `/v1/datasets/${own.dataset.name}/${own.dataset.version}`;
    const { id } = await ok<api.EvaluationDetail>(
      call('/v1/evaluations', { json: { model: own.model, dataset: own.dataset, plan } }),
      202,
    );
    const other = {
      schema: 'facet.request/v1',
      evaluation: 'other-1',
      model: own.model,
      dataset: { name: 'kept', version: '1' },
      plan,
    } as const;
    await saveRequest(own.store, other);
    await own.store.put(keys.evaluation.outcomes(id, CELL, 0), await writeOutcomes([]));
    await own.store.put(
      `${keys.features.folder(own.model, own.dataset, 'abc')}/features.json`,
      Buffer.from('{}'),
    );
    await problem(call(path, { method: 'DELETE', role: 'operator' }), 409);
    await ok(call(`/v1/evaluations/${id}/cancel`, { method: 'POST' }));
    const deletion = await ok<api.DatasetDeletion>(call(path, { method: 'DELETE', role: 'operator' }));
    expect(deletion).toMatchObject({ evaluations: [id], modelsTrainedOnIt: [] });
    const left = (await keysOf(own.store)).filter((key) => !/^(audit|tokens|idempotency)\//.test(key));
    expect(left).toEqual([
      'evaluations/other-1/request.json',
      keys.model.manifest(own.model),
      keys.model.file(own.model),
    ]);
    await problem(call(path, { method: 'DELETE' }), 404);
    await problem(call(path), 404);
    await own.close();
  });
});
