/** What every adapter keeps that can be looked into, as tests: a part of `@facet/bus/conformance`. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Bus, BusError, type StreamConfig } from './port.js';
import { type PlacedMessage, type StreamReader } from './reader.js';

export interface OpenedReader {
  readonly bus: Bus;
  readonly reader: StreamReader;
  /** Also removes what the streams hold. */
  close(): Promise<void>;
}

const STREAM: StreamConfig = {
  name: 'CONFORMANCE_READ',
  subjects: ['conformance.read.>'],
  retention: 'limits',
  duplicateWindowMs: 10_000,
};

/** @param open gives a bus whose streams are empty. Called once per test. */
export function streamReaderConformance(
  name: string,
  open: (streams: readonly StreamConfig[]) => Promise<OpenedReader>,
): void {
  describe(`stream reader: ${name}`, () => {
    let opened: OpenedReader;
    let reader: StreamReader;
    let stopping: AbortController;
    beforeEach(async () => {
      opened = await open([STREAM]);
      reader = opened.reader;
      stopping = new AbortController();
    });
    afterEach(async () => {
      stopping.abort();
      await opened.close();
    });

    const publish = async (...ids: string[]) => {
      for (const id of ids) {
        const subject = `conformance.read.${id[0]}`;
        await opened.bus.publish({ id, subject, headers: { of: id }, data: new TextEncoder().encode(id) });
      }
    };
    const ids = (placed: readonly PlacedMessage[]) =>
      placed.map(({ message }) => new TextDecoder().decode(message.data));
    const read = async (after: number, limit = 100, subjects?: readonly string[]) =>
      ids(await reader.read(STREAM.name, { after, limit, ...(subjects && { subjects }) }));
    const follow = (after: number, subjects?: readonly string[], stream = STREAM.name) => {
      const options = { after, ...(subjects && { subjects }) };
      return reader.follow(stream, options, stopping.signal)[Symbol.asyncIterator]();
    };
    const take = async (from: AsyncIterator<PlacedMessage>, count: number) => {
      const taken: PlacedMessage[] = [];
      while (taken.length < count) taken.push((await from.next()).value as PlacedMessage);
      return taken;
    };

    it('says where a stream begins and ends', async () => {
      const empty = await reader.position(STREAM.name);
      expect(empty).toMatchObject({ first: empty.last + 1, last: 0 });
      await publish('a1', 'a2');
      expect(await reader.position(STREAM.name)).toEqual({ epoch: empty.epoch, first: 1, last: 2 });
    });

    it('reads what is there, whole, from any place, and does not wait for more', async () => {
      expect(await read(0)).toEqual([]);
      await publish('a1', 'b1', 'a2', 'b2');
      const [first] = await reader.read(STREAM.name, { after: 0, limit: 1 });
      expect(first).toMatchObject({
        sequence: 1,
        message: { id: 'a1', subject: 'conformance.read.a', headers: { of: 'a1' } },
      });
      expect(await read(0)).toEqual(['a1', 'b1', 'a2', 'b2']);
      expect(await read(2)).toEqual(['a2', 'b2']);
      expect(await read(0, 3)).toEqual(['a1', 'b1', 'a2']);
      expect(await read(4)).toEqual([]);
      expect(await read(1000)).toEqual([]);
    });

    it('reads some subjects only', async () => {
      await publish('a1', 'b1', 'a2', 'c1');
      expect(await read(0, 100, ['conformance.read.a'])).toEqual(['a1', 'a2']);
      expect(await read(1, 1, ['conformance.read.a', 'conformance.read.c'])).toEqual(['a2']);
      expect(await read(0, 100, ['conformance.read.d'])).toEqual([]);
    });

    it('follows what was there and what comes, each once, with several at a time', async () => {
      await publish('a1', 'b1');
      const [all, some] = [follow(0), follow(1, ['conformance.read.a'])];
      expect(ids(await take(all, 2))).toEqual(['a1', 'b1']);
      const waiting = [take(all, 2), take(some, 1)];
      await publish('b2', 'a2');
      expect(ids(await waiting[0])).toEqual(['b2', 'a2']);
      expect(ids(await waiting[1])).toEqual(['a2']);
      await publish('a3');
      expect((await take(all, 1))[0].sequence).toBe(5);
      expect(ids(await take(some, 1))).toEqual(['a3']);
    });

    it('stops following at its signal', async () => {
      const following = follow(0);
      const waiting = following.next();
      stopping.abort();
      expect((await waiting).done).toBe(true);
    });

    it('removes a message once, and only that one; its number stays used', async () => {
      await publish('a1', 'a2', 'a3');
      expect(await reader.remove(STREAM.name, 2)).toBe(true);
      expect(await reader.remove(STREAM.name, 2)).toBe(false);
      expect(await reader.remove(STREAM.name, 99)).toBe(false);
      expect(await read(0)).toEqual(['a1', 'a3']);
      expect(await reader.remove(STREAM.name, 3)).toBe(true);
      expect(await read(1)).toEqual([]);
      await publish('a4');
      expect((await reader.read(STREAM.name, { after: 1, limit: 9 }))[0].sequence).toBe(4);
    });

    it('knows no stream that was never declared', async () => {
      const fault = (attempt: Promise<unknown>) =>
        attempt.then(
          () => 'none',
          (error: unknown) => (error instanceof BusError ? error.fault : error),
        );
      expect(await fault(reader.position('NOWHERE'))).toBe('no-stream');
      expect(await fault(reader.read('NOWHERE', { after: 0, limit: 1 }))).toBe('no-stream');
      expect(await fault(reader.remove('NOWHERE', 1))).toBe('no-stream');
      expect(await fault(follow(0, undefined, 'NOWHERE').next())).toBe('no-stream');
    });
  });
}
