/**
 * What every adapter of the bus keeps, as tests: an adapter's own test file calls this with a way to open an empty
 * bus. Time goes by only in `elapse`, so an adapter with a clock of its own never sleeps, and one with a real server
 * sleeps no longer than its own small ack wait asks for. An entry of its own (`@facet/bus/conformance`), so that
 * vitest stays out of the product.
 */
import { afterEach, describe, expect, it } from 'vitest';
import {
  type Bus,
  BusError,
  type ConsumerConfig,
  type Delivery,
  type Message,
  type StreamConfig,
} from './port.js';
import { MAX_PAYLOAD_BYTES } from './rules.js';

export { type OpenedReader, streamReaderConformance } from './reader-conformance.js';

export interface OpenedBus {
  readonly bus: Bus;
  /** Lets that much time go by on the adapter's clock. */
  elapse(ms: number): Promise<void>;
  /** Also removes what the streams hold. */
  close(): Promise<void>;
}

export interface BusConformanceOptions {
  /** Opens a bus whose streams are empty, with no consumers. Called once per test. */
  open(streams: readonly StreamConfig[]): Promise<OpenedBus>;
  /** The ack wait that the tests use; other times are multiples of it. */
  readonly ackWaitMs: number;
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

export function busConformance(name: string, { open, ackWaitMs }: BusConformanceOptions): void {
  const FACTS: StreamConfig = {
    name: 'CONFORMANCE_FACTS',
    subjects: ['conformance.facts.>'],
    retention: 'limits',
    duplicateWindowMs: 4 * ackWaitMs,
  };
  const WORK: StreamConfig = {
    name: 'CONFORMANCE_WORK',
    subjects: ['conformance.work.*.*'],
    retention: 'work-queue',
    duplicateWindowMs: 4 * ackWaitMs,
  };
  const READER: ConsumerConfig = {
    name: 'reader',
    stream: FACTS.name,
    subjects: ['conformance.facts.>'],
    ackWaitMs,
    maxDeliver: 3,
    maxAckPending: 100,
  };
  const WORKER: ConsumerConfig = {
    ...READER,
    name: 'worker',
    stream: WORK.name,
    subjects: ['conformance.work.attacks.*'],
  };

  describe(`bus: ${name}`, () => {
    let opened: OpenedBus;
    let bus: Bus;
    let stopping: AbortController;
    const start = async () => {
      opened = await open([FACTS, WORK]);
      bus = opened.bus;
      stopping = new AbortController();
    };
    afterEach(async () => {
      stopping.abort();
      await opened.close();
    });

    const publish = (id: string, subject = 'conformance.facts.a', more: Partial<Message> = {}) =>
      bus.publish({ id, subject, headers: {}, data: text(id), ...more });
    const reader = (consumer: ConsumerConfig, signal = stopping.signal) =>
      bus.consume(consumer, signal)[Symbol.asyncIterator]();
    const next = async (from: AsyncIterator<Delivery>): Promise<Delivery> => {
      const { value, done } = await from.next();
      if (done) throw new Error('the reader has ended');
      return value;
    };
    const nextId = async (from: AsyncIterator<Delivery>): Promise<string> => {
      const delivery = await next(from);
      await delivery.ack();
      return delivery.message.id;
    };
    const faultOf = (attempt: Promise<unknown>) =>
      attempt.then(
        () => 'none',
        (error: unknown) => (error instanceof BusError ? error.fault : error),
      );

    describe('delivers', () => {
      it('the whole message, once it is acknowledged only once', async () => {
        await start();
        const headers = { 'ce-type': 'facet.model.published.v1', traceparent: '00-ab-cd-01' };
        const data = new Uint8Array([0, 255, 10, 13]);
        expect(await publish('m1', 'conformance.facts.model.published', { headers, data })).toEqual({
          duplicate: false,
        });
        const from = reader(READER);
        const delivery = await next(from);
        expect(delivery.attempt).toBe(1);
        const { message } = delivery;
        expect(message).toMatchObject({ id: 'm1', subject: 'conformance.facts.model.published' });
        expect(message.headers).toMatchObject(headers);
        expect(new Uint8Array(message.data)).toEqual(data);
        await delivery.ack();
        await opened.elapse(2 * ackWaitMs);
        await publish('m2');
        expect(await nextId(from)).toBe('m2');
      });

      it('an empty message', async () => {
        await start();
        await publish('m1', undefined, { data: new Uint8Array() });
        expect((await next(reader(READER))).message.data.byteLength).toBe(0);
      });

      it('in the order of publishing', async () => {
        await start();
        const ids = ['1', '2', '3', '4', '5'];
        for (const id of ids) await publish(id);
        const from = reader(READER);
        for (const id of ids) expect(await nextId(from)).toBe(id);
      });

      it('to a reader that was already waiting', async () => {
        await start();
        const waiting = nextId(reader(READER));
        await publish('m1');
        expect(await waiting).toBe('m1');
      });

      it('what the filters mean, and nothing else', async () => {
        await start();
        const subjects = ['conformance.facts.*.failed', 'conformance.facts.model.>'];
        const from = reader({ ...READER, subjects: [subjects[0]] });
        const both = reader({ ...READER, name: 'both', subjects: ['conformance.facts.b.*', subjects[1]] });
        await publish('1', 'conformance.facts.a.failed');
        await publish('2', 'conformance.facts.model.v1.published');
        await publish('3', 'conformance.facts.failed');
        await publish('4', 'conformance.facts.model');
        await publish('5', 'conformance.facts.b.failed');
        expect([await nextId(from), await nextId(from)]).toEqual(['1', '5']);
        expect([await nextId(both), await nextId(both)]).toEqual(['2', '5']);
      });
    });

    describe('drops duplicates', () => {
      it('of an id within the window, also of one that was acknowledged', async () => {
        await start();
        const from = reader(READER);
        await publish('m1');
        expect(await publish('m1')).toEqual({ duplicate: true });
        expect(await nextId(from)).toBe('m1');
        expect(await publish('m1', 'conformance.facts.other')).toEqual({ duplicate: true });
        await publish('m2');
        expect(await nextId(from)).toBe('m2');
      });

      it('not after the window, nor in another stream', async () => {
        await start();
        await publish('m1');
        expect(await publish('m1', 'conformance.work.attacks.cpu')).toEqual({ duplicate: false });
        await opened.elapse(2 * FACTS.duplicateWindowMs);
        expect(await publish('m1')).toEqual({ duplicate: false });
      });
    });

    describe('delivers again', () => {
      it('what is not acknowledged in time, to any reader of the consumer', async () => {
        await start();
        await publish('m1');
        const [one, two] = [reader(READER), reader(READER)];
        expect((await next(one)).attempt).toBe(1);
        const waiting = next(two);
        await opened.elapse(2 * ackWaitMs);
        expect(await waiting).toMatchObject({ attempt: 2, message: { id: 'm1' } });
      });

      it('what was handed back, before newer messages', async () => {
        await start();
        await publish('m1');
        await publish('m2');
        const from = reader(READER);
        await (await next(from)).nak();
        expect(await next(from)).toMatchObject({ attempt: 2, message: { id: 'm1' } });
        expect(await next(from)).toMatchObject({ attempt: 1, message: { id: 'm2' } });
      });

      it('what was handed back with a delay, after it', async () => {
        await start();
        await publish('m1');
        const from = reader(READER);
        await (await next(from)).nak(2 * ackWaitMs);
        await opened.elapse(ackWaitMs);
        await publish('m2');
        expect(await nextId(from)).toBe('m2');
        const waiting = next(from);
        await opened.elapse(2 * ackWaitMs);
        expect(await waiting).toMatchObject({ attempt: 2, message: { id: 'm1' } });
      });

      it('no more than maxDeliver times, however it fails', async () => {
        await start();
        await publish('m1');
        const from = reader(READER);
        await (await next(from)).nak();
        expect((await next(from)).attempt).toBe(2);
        const waiting = next(from);
        await opened.elapse(2 * ackWaitMs);
        const last = await waiting;
        expect(last.attempt).toBe(3);
        await last.nak();
        await opened.elapse(2 * ackWaitMs);
        await publish('m2');
        expect(await nextId(from)).toBe('m2');
      });

      it('not what was ended, nor what was settled before', async () => {
        await start();
        await publish('m1');
        await publish('m2');
        const from = reader(READER);
        await (await next(from)).term();
        const second = await next(from);
        await second.ack();
        await second.ack();
        await second.nak();
        await opened.elapse(2 * ackWaitMs);
        await publish('m3');
        expect(await nextId(from)).toBe('m3');
      });

      it('not what is still being worked on', async () => {
        await start();
        await publish('m1');
        const [one, two] = [reader(READER), reader(READER)];
        const long = await next(one);
        expect(long.ackWaitMs).toBe(ackWaitMs);
        for (let i = 0; i < 4; i++) {
          await opened.elapse(0.6 * ackWaitMs);
          await long.working();
        }
        await publish('m2');
        expect(await nextId(two)).toBe('m2');
        await long.ack();
        await opened.elapse(2 * ackWaitMs);
        await publish('m3');
        expect(await nextId(two)).toBe('m3');
      });

      it('until somebody acknowledges, also a reader that was late', async () => {
        await start();
        await publish('m1');
        const [one, two] = [reader(READER), reader(READER)];
        const late = await next(one);
        const waiting = next(two);
        await opened.elapse(1.5 * ackWaitMs);
        await waiting;
        await late.ack();
        await opened.elapse(2 * ackWaitMs);
        await publish('m2');
        expect(await nextId(two)).toBe('m2');
      });
    });

    describe('readers', () => {
      it('of one consumer share its messages, and fetch nothing ahead', async () => {
        await start();
        for (const id of ['1', '2', '3', '4']) await publish(id);
        const [one, two] = [reader(READER), reader(READER)];
        const held = await next(one);
        expect(held.message.id).toBe('1');
        expect([await nextId(two), await nextId(two), await nextId(two)]).toEqual(['2', '3', '4']);
        await held.ack();
      });

      it('of different consumers each get everything, also what was before them', async () => {
        await start();
        await publish('1');
        const one = reader(READER);
        expect(await nextId(one)).toBe('1');
        await publish('2');
        expect(await nextId(one)).toBe('2');
        const late = reader({ ...READER, name: 'late' });
        expect([await nextId(late), await nextId(late)]).toEqual(['1', '2']);
      });

      it('go on where earlier ones of the same name stopped', async () => {
        await start();
        for (const id of ['1', '2', '3']) await publish(id);
        const first = new AbortController();
        const one = reader(READER, first.signal);
        expect(await nextId(one)).toBe('1');
        await (await next(one)).nak();
        first.abort();
        expect(await one.next()).toEqual({ done: true, value: undefined });
        const two = reader(READER);
        expect(await next(two)).toMatchObject({ attempt: 2, message: { id: '2' } });
        expect(await nextId(two)).toBe('3');
      });

      it('end when their signal aborts while they wait, and lose nothing', async () => {
        await start();
        const controller = new AbortController();
        const waiting = reader(READER, controller.signal).next();
        controller.abort();
        expect(await waiting).toEqual({ done: true, value: undefined });
        await publish('m1');
        expect(await nextId(reader(READER))).toBe('m1');
      });

      it('get nothing new while maxAckPending deliveries are unsettled', async () => {
        await start();
        await publish('1');
        await publish('2');
        const one = { ...READER, maxAckPending: 1 };
        const [a, b] = [reader(one), reader(one)];
        const first = await next(a);
        let given = false;
        const waiting = next(b).then((delivery) => {
          given = true;
          return delivery;
        });
        await opened.elapse(0.5 * ackWaitMs);
        expect(given).toBe(false);
        await first.ack();
        expect((await waiting).message.id).toBe('2');
      });
    });

    describe('a work queue', () => {
      it('gives each message to one worker, also to one that comes later', async () => {
        await start();
        for (const id of ['1', '2', '3']) await publish(id, 'conformance.work.attacks.cpu');
        const [one, two] = [reader(WORKER), reader(WORKER)];
        expect([await nextId(one), await nextId(two), await nextId(one)]).toEqual(['1', '2', '3']);
        await opened.elapse(2 * ackWaitMs);
        await publish('4', 'conformance.work.attacks.gpu');
        expect(await nextId(two)).toBe('4');
      });

      it('gives again what fails, until maxDeliver', async () => {
        await start();
        await publish('1', 'conformance.work.attacks.cpu');
        const from = reader(WORKER);
        for (let attempt = 1; attempt <= 3; attempt++) {
          const delivery = await next(from);
          expect(delivery.attempt).toBe(attempt);
          await delivery.nak();
        }
        await publish('2', 'conformance.work.attacks.cpu');
        expect(await nextId(from)).toBe('2');
      });

      it('refuses a second consumer for the same work, and takes one for other work', async () => {
        await start();
        await publish('1', 'conformance.work.attacks.cpu');
        await publish('2', 'conformance.work.training.gpu');
        expect(await nextId(reader(WORKER))).toBe('1');
        const overlapping = { ...WORKER, name: 'other', subjects: ['conformance.work.*.cpu'] };
        expect(await faultOf(reader(overlapping).next())).toBe('conflict');
        const disjoint = { ...WORKER, name: 'trainer', subjects: ['conformance.work.training.*'] };
        expect(await nextId(reader(disjoint))).toBe('2');
      });
    });

    describe('refuses', () => {
      it.each<[string, Partial<Message>, string]>([
        ['a payload that is too large', { data: new Uint8Array(MAX_PAYLOAD_BYTES) }, 'too-large'],
        ['headers that are too large', { headers: { a: 'x'.repeat(MAX_PAYLOAD_BYTES) } }, 'too-large'],
        ['a subject of no stream', { subject: 'elsewhere.a' }, 'no-stream'],
        ['a subject with a wildcard', { subject: 'conformance.facts.*' }, 'invalid'],
        ['a subject with an empty token', { subject: 'conformance..a' }, 'invalid'],
        ['a subject with white space', { subject: 'conformance.facts.a b' }, 'invalid'],
        ['an empty id', { id: '' }, 'invalid'],
        ['a header that breaks the line', { headers: { a: 'x\r\nb: y' } }, 'invalid'],
        ['a header name with a colon', { headers: { 'a:b': 'x' } }, 'invalid'],
      ])('%s', async (_, more, fault) => {
        await start();
        expect(await faultOf(publish('m1', 'conformance.facts.a', more))).toBe(fault);
        await publish('m2');
        expect(await nextId(reader(READER))).toBe('m2');
      });

      it.each<[string, Partial<ConsumerConfig>, string]>([
        ['of an unknown stream', { stream: 'NOWHERE' }, 'no-stream'],
        ['without subjects', { subjects: [] }, 'invalid'],
        ['with subjects of another stream', { subjects: ['conformance.work.>'] }, 'invalid'],
        ['with a broken filter', { subjects: ['conformance.facts.>.a'] }, 'invalid'],
        [
          'with subjects that overlap',
          { subjects: ['conformance.facts.*', 'conformance.facts.a'] },
          'conflict',
        ],
        ['with a name that has a dot', { name: 'a.b' }, 'invalid'],
        ['that never waits for an ack', { ackWaitMs: 0 }, 'invalid'],
        ['that never delivers', { maxDeliver: 0 }, 'invalid'],
      ])('a consumer %s', async (_, more, fault) => {
        await start();
        expect(await faultOf(reader({ ...READER, ...more }).next())).toBe(fault);
      });

      it('a consumer of a known name with other subjects', async () => {
        await start();
        await publish('1');
        expect(await nextId(reader(READER))).toBe('1');
        expect(await faultOf(reader({ ...READER, subjects: ['conformance.facts.a'] }).next())).toBe(
          'conflict',
        );
      });

      it('to publish with an aborted signal', async () => {
        await start();
        const message = { id: 'm1', subject: 'conformance.facts.a', headers: {}, data: text('x') };
        const signal = AbortSignal.abort(new Error('enough'));
        await expect(bus.publish(message, { signal })).rejects.toThrow('enough');
      });
    });

    it('takes the largest payload that it promises to take', async () => {
      await start();
      const data = new Uint8Array(MAX_PAYLOAD_BYTES - 1000);
      await publish('m1', undefined, { data });
      expect((await next(reader(READER))).message.data.byteLength).toBe(data.byteLength);
    });

    it('ends its readers when it closes, and refuses to go on', async () => {
      await start();
      await publish('m1');
      const from = reader(READER);
      await nextId(from);
      const waiting = from.next();
      await Promise.all([bus.close(), bus.close()]);
      await bus.close();
      expect(await waiting).toEqual({ done: true, value: undefined });
      expect(await faultOf(publish('m2'))).toBe('closed');
      expect(await faultOf(reader(READER).next())).toBe('closed');
    });
  });
}
