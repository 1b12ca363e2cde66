import { InProcessBus } from '@facet/bus';
import { STREAMS } from '@facet/contracts';
import { expect, it } from 'vitest';
import { encodeDeadLetter } from './dead-letter.js';
import { DeadLetters } from './dead-letters.js';

const original = (id: string, bytes = 3) => ({
  id,
  subject: 'facet.jobs.attacks.cpu',
  headers: { 'ce-id': id },
  data: new Uint8Array(bytes).fill(7),
});

async function open(...messages: ReturnType<typeof original>[]) {
  const bus = new InProcessBus(STREAMS);
  for (const message of messages)
    await bus.publish(
      encodeDeadLetter(message, {
        handler: 'attacks',
        reason: 'exhausted',
        attempts: 4,
        time: '2026-11-01T00:00:00.000Z',
        error: new Error(`no ${message.id}`),
      }),
    );
  const jobs = () => bus.read('FACET_JOBS', { after: 0, limit: 100 });
  return { letters: new DeadLetters(bus), jobs };
}

it('lists letters in pages and finds one by its place', async () => {
  const { letters } = await open(original('a'), original('b'), original('c'));
  expect((await letters.list(0, 2)).map(({ letter }) => letter.original.id)).toEqual(['a', 'b']);
  expect((await letters.list(2, 2)).map(({ letter }) => letter.original.id)).toEqual(['c']);
  expect((await letters.get(2))?.letter.errors[0].message).toBe('no b');
  for (const nowhere of [0, 4, 1e9]) expect(await letters.get(nowhere)).toBeUndefined();
});

it('sends the original again, whole, and drops the letter; also when the same work dies a second time', async () => {
  const { letters, jobs } = await open(original('a'), original('a2'));
  expect(await letters.replay(1)).toBe(true);
  expect(await letters.replay(1)).toBe(false);
  const [{ message }] = await jobs();
  expect(message).toMatchObject({ subject: 'facet.jobs.attacks.cpu', headers: { 'ce-id': 'a' } });
  expect([...message.data]).toEqual([7, 7, 7]);
  expect((await letters.list(0, 9)).map(({ sequence }) => sequence)).toEqual([2]);
});

it('keeps a letter whose original cannot be sent, and drops what it is told to', async () => {
  const { letters, jobs } = await open(original('huge', 900_000));
  await expect(letters.replay(1)).rejects.toThrow(/900000 bytes/);
  expect(await jobs()).toEqual([]);
  expect(await letters.drop(1)).toBe(true);
  expect(await letters.drop(1)).toBe(false);
});
