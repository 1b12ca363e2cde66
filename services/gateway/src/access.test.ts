/** Who gets in, how often, and what is written down of it. */
import type { api } from '@facet/contracts';
import { describe, expect, it } from 'vitest';
import { keysOf, ok, openTestGateway, problem, published } from './gateway.fixture.js';

const DAY_MS = 86_400_000;
const synthetic = { kind: 'synthetic', seed: 1, size: 16, samples: { train: 1, dev: 1, test: 1 } };
const dataset = (changes: object = {}) => ({ name: 'faces', version: '1', source: synthetic, ...changes });

type Page<T> = { items: T[]; next: string | null };

describe('a token', () => {
  it('is made by an admin, shown once, works at once, and says whose it is', async () => {
    const { call, store } = await openTestGateway();
    const order = { name: 'ci of the team', role: 'publisher', days: 7 };
    const created = await ok<api.TokenInfo & { token: string }>(call('/v1/tokens', { json: order }), 201);
    const { token, ...info } = created;
    const bearer = { role: 'none', headers: { authorization: `Bearer ${token}` } } as const;
    expect(await ok(call('/v1/me', bearer))).toEqual(info);
    const { items } = await ok<Page<api.TokenInfo>>(call('/v1/tokens'));
    expect(items).toContainEqual(info);
    const secret = token.split('_').at(-1)!;
    for (const key of await keysOf(store, 'tokens/'))
      expect(Buffer.from(await (await store.get(key))!.bytes()).toString()).not.toContain(secret);
    expect(JSON.stringify(items)).not.toContain(secret);
  });

  it('that is revoked ends at once where it was revoked, and elsewhere when it is no longer remembered', async () => {
    let time = Date.now();
    const now = () => time;
    const here = await openTestGateway({ now });
    const there = await openTestGateway({ now, store: here.store });
    const { id, token } = await here.gateway.tokens.create({ name: 'x', role: 'viewer' });
    const me = ({ call }: typeof here) =>
      call('/v1/me', { role: 'none', headers: { authorization: `Bearer ${token}` } });
    await ok(me(here));
    await ok(me(there));
    await ok(here.call(`/v1/tokens/${id}`, { method: 'DELETE' }), 204);
    await problem(me(here), 401);
    await ok(me(there));
    time += 31_000;
    await problem(me(there), 401);
    await problem(here.call(`/v1/tokens/${id}`, { method: 'DELETE' }), 404);
  });

  it('ends with its last day, also while it is remembered', async () => {
    let time = Date.now();
    const { call, gateway } = await openTestGateway({ now: () => time });
    const { token } = await gateway.tokens.create({ name: 'x', role: 'viewer', days: 1 });
    const me = () => call('/v1/me', { role: 'none', headers: { authorization: `Bearer ${token}` } });
    time += DAY_MS - 1000;
    await ok(me());
    time += 1000;
    const refused = await problem(me(), 401);
    expect(refused.detail).toContain('expired');
  });

  it('is in no line of the log and in no audit, nor is one that was wrong', async () => {
    const { call, lines, store, tokens } = await openTestGateway();
    const wrong = `facet_admin_${'w'.repeat(43)}`;
    await call('/v1/me', { role: 'none', headers: { authorization: `Bearer ${wrong}` } });
    const made = await ok<{ token: string }>(call('/v1/tokens', { json: { name: 'x', role: 'admin' } }), 201);
    await call('/v1/datasets', { json: dataset(), headers: { authorization: `Bearer ${wrong}` } });
    const said: string[] = [...lines];
    for (const key of await keysOf(store, 'audit/'))
      said.push(Buffer.from(await (await store.get(key))!.bytes()).toString());
    expect(said.length).toBeGreaterThan(3);
    for (const token of [wrong, made.token, ...Object.values(tokens)])
      expect(said.join('\n')).not.toContain(token.split('_').at(-1));
  });
});

describe('who comes too often', () => {
  it('is told when to come again; others are not held up, nor is it afterwards', async () => {
    let time = Date.now();
    const { call } = await openTestGateway({
      now: () => time,
      limits: { requests: { perSecond: 2, burst: 3 } },
    });
    for (let i = 0; i < 3; i++) await ok(call('/v1/me', { role: 'viewer' }));
    const answer = await call('/v1/me', { role: 'viewer' });
    expect(answer.headers.get('retry-after')).toBe('1');
    expect((await problem(answer, 429)).type).toBe('urn:facet:problem:too-many');
    await ok(call('/v1/me', { role: 'publisher' }));
    time += 500;
    await ok(call('/v1/me', { role: 'viewer' }));
    await problem(call('/v1/me', { role: 'viewer' }), 429);
  });

  it('with tokens that are wrong is slowed down much sooner, and who has a right one beside it is not', async () => {
    const { call } = await openTestGateway({ limits: { failures: { perSecond: 0.01, burst: 2 } } });
    const guess = () =>
      call('/v1/me', { role: 'none', headers: { authorization: `Bearer facet_x_${'g'.repeat(43)}` } });
    for (let i = 0; i < 2; i++) await problem(guess(), 401);
    await problem(guess(), 429);
    await ok(call('/v1/me', { role: 'viewer' }));
  });
});

describe('the audit', () => {
  it('holds who asked for what change, allowed and refused, and reading is no change', async () => {
    const { call } = await openTestGateway();
    await ok(call('/v1/datasets', { role: 'publisher', json: dataset() }), 202);
    await problem(call('/v1/datasets', { role: 'viewer', json: dataset() }), 403);
    await problem(call('/v1/datasets', { role: 'none', json: dataset() }), 401);
    // What is being made would come back after its deletion.
    await problem(call('/v1/datasets/faces/1', { role: 'operator', method: 'DELETE' }), 409);
    await ok(call('/v1/datasets', { role: 'viewer' }));
    await problem(call('/v1/audit', { role: 'operator' }), 403);
    const { items } = await ok<Page<api.AuditEntry>>(call('/v1/audit'));
    const asked = items.map(({ action, status, actor, target }) => [
      action,
      status,
      actor?.name ?? null,
      target,
    ]);
    expect(asked.slice(0, 3).sort((a, b) => Number(a[1]) - Number(b[1]))).toEqual([
      ['registerDataset', 202, 'the publisher', {}],
      ['registerDataset', 401, null, {}],
      ['registerDataset', 403, 'the viewer', {}],
    ]);
    expect(asked[3]).toEqual(['deleteDataset', 409, 'the operator', { name: 'faces', version: '1' }]);
    expect(asked).toHaveLength(4);
    expect(items.every(({ address }) => address.includes('127.0.0.1'))).toBe(true);
    const first = await ok<Page<api.AuditEntry>>(call('/v1/audit?limit=3'));
    const second = await ok<Page<api.AuditEntry>>(call(`/v1/audit?limit=3&cursor=${first.next}`));
    expect([...first.items, ...second.items]).toEqual(items);
    expect(second.next).toBeNull();
  });
});

describe('an idempotency key', () => {
  const ask = (key: string, role: 'publisher' | 'operator' = 'publisher', json: object = dataset()) => ({
    role,
    json,
    headers: { 'idempotency-key': key },
  });

  it('gets the first answer again, and does nothing, until a day has passed', async () => {
    let time = Date.now();
    const { call, bus, store } = await openTestGateway({ now: () => time });
    const first = await ok(call('/v1/datasets', ask('build-1')), 202);
    // What was asked for is there, so without the key the answer would be another one.
    const again = await call('/v1/datasets', ask('build-1'));
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(again.headers.get('location')).toBe('/v1/datasets/faces/1');
    expect(await ok(again, 202)).toEqual(first);
    expect(await ok(call('/v1/datasets', ask('build-2')), 200)).toEqual(first);
    expect(await published(bus, 'FACET_JOBS')).toHaveLength(1);
    expect(await keysOf(store, 'idempotency/')).toHaveLength(2);
    time += DAY_MS + 60_000;
    const later = await call('/v1/datasets', ask('build-1'));
    expect(later.headers.get('idempotency-replayed')).toBeNull();
    await ok(later, 200);
  });

  it('is of one request: another one with it is refused, and another token’s is another key', async () => {
    const { call } = await openTestGateway();
    await ok(call('/v1/datasets', ask('k')), 202);
    await problem(call('/v1/datasets', ask('k', 'publisher', dataset({ version: '2' }))), 422);
    const theirs = await call('/v1/datasets', ask('k', 'operator', dataset({ version: '3' })));
    expect(theirs.headers.get('idempotency-replayed')).toBeNull();
    await ok(theirs, 202);
    for (const wrong of ['a b', 'x'.repeat(201)]) {
      const refused = await problem(call('/v1/datasets', ask(wrong)), 400);
      expect(refused.errors).toMatchObject([{ in: 'header', pointer: '#/idempotency-key' }]);
    }
  });

  it('is free again where the request was refused', async () => {
    const { call } = await openTestGateway();
    const folder = dataset({ source: { kind: 'folder', path: '/etc' } });
    await problem(call('/v1/datasets', ask('k', 'publisher', folder)), 422);
    await ok(call('/v1/datasets', ask('k')), 202);
  });
});
