import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FolderStore } from '@facet/store';
import { expect, it, onTestFinished } from 'vitest';
import type { AnyAnswer } from './handlers.js';
import { Idempotency } from './idempotency.js';

async function open(now = Date.now) {
  const root = await mkdtemp(join(tmpdir(), 'facet-idempotency-'));
  onTestFinished(() => rm(root, { recursive: true }));
  return new Idempotency(await FolderStore.open(root), now);
}

const request = { token: 't', route: 'r', key: 'k', asked: { a: 1 } };

it('lets one of two requests at the same time act, and has the other come later', async () => {
  const keys = await open();
  let finish!: (answer: AnyAnswer) => void;
  const slow = new Promise<AnyAnswer>((resolve) => (finish = resolve));
  let begun!: () => void;
  const acting = new Promise<void>((resolve) => (begun = resolve));
  const first = keys.once(request, () => {
    begun();
    return slow;
  });
  await acting;
  const second = keys.once(request, () => expect.unreachable());
  await expect(second).rejects.toMatchObject({ kind: 'conflict', more: { retryAfterS: 1 } });
  finish({ status: 201, body: { id: 7 }, location: '/x' });
  expect(await first).toEqual({ status: 201, body: { id: 7 }, location: '/x' });
  expect(await keys.once(request, () => expect.unreachable())).toEqual({
    status: 201,
    body: { id: 7 },
    location: '/x',
    replayed: true,
  });
});

it('takes over the claim of a process that has died', async () => {
  let time = Date.now();
  const keys = await open(() => time);
  void keys.once(request, () => new Promise(() => undefined));
  await expect
    .poll(() => keys.once(request, () => expect.unreachable()).catch((e: unknown) => e))
    .toMatchObject({
      kind: 'conflict',
    });
  time += 16 * 60_000;
  expect(await keys.once(request, async () => ({ status: 200 }))).toMatchObject({ status: 200 });
});
