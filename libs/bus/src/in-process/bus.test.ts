import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../clock.js';
import { busConformance, streamReaderConformance } from '../conformance.js';
import { BusError, type ConsumerConfig, type Delivery, type StreamConfig } from '../port.js';
import { InProcessBus } from './bus.js';

busConformance('in process', {
  ackWaitMs: 1000,
  open: async (streams) => {
    const clock = new ManualClock();
    const bus = new InProcessBus(streams, { clock });
    return { bus, elapse: async (ms) => clock.advance(ms), close: () => bus.close() };
  },
});

streamReaderConformance('in process', async (streams) => {
  const bus = new InProcessBus(streams);
  return { bus, reader: bus, close: () => bus.close() };
});

const STREAM: StreamConfig = { name: 'S', subjects: ['s.>'], retention: 'limits', duplicateWindowMs: 1000 };
const READER: ConsumerConfig = {
  name: 'reader',
  stream: 'S',
  subjects: ['s.>'],
  ackWaitMs: 1000,
  maxDeliver: 2,
  maxAckPending: 10,
};

function open(stream: Partial<StreamConfig> = {}, retainedBytes?: number) {
  const clock = new ManualClock();
  const bus = new InProcessBus([{ ...STREAM, ...stream }], { clock, retainedBytes });
  const { signal } = new AbortController();
  const reader = (name: string) => bus.consume({ ...READER, name }, signal)[Symbol.asyncIterator]();
  const publish = (id: string, size = 0) =>
    bus.publish({ id, subject: 's.a', headers: {}, data: new Uint8Array(size) });
  const next = async (from: AsyncIterator<Delivery>) => (await from.next()).value as Delivery;
  return { bus, clock, reader, publish, next };
}

/** Whether a promise is settled once everything that is ready has run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  void promise.finally(() => (settled = true));
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

describe('InProcessBus', () => {
  it('keeps a message as it was published', async () => {
    const { bus, reader, next } = open();
    const data = new Uint8Array([1]);
    const headers = { a: '1' };
    await bus.publish({ id: 'm', subject: 's.a', headers, data });
    data[0] = 2;
    headers.a = '2';
    expect((await next(reader('one'))).message).toMatchObject({
      headers: { a: '1' },
      data: new Uint8Array([1]),
    });
  });

  it('never forgets what a consumer still needs, however much that is', async () => {
    const { reader, publish, next } = open({}, 10_000);
    const [fast, slow] = [reader('fast'), reader('slow')];
    await publish('0', 1000);
    const held = await next(slow);
    await (await next(fast)).ack();
    for (let i = 1; i <= 30; i++) {
      await publish(String(i), 1000);
      await (await next(fast)).ack();
    }
    expect((await next(reader('late'))).message.id).toBe('0');
    await held.ack();
    for (let i = 1; i <= 30; i++) {
      const delivery = await next(slow);
      expect(delivery.message.id).toBe(String(i));
      await delivery.ack();
    }
  });

  it('forgets settled messages beyond its cap: a consumer that comes late gets the rest', async () => {
    const { reader, publish, next } = open({}, 10_000);
    const fast = reader('fast');
    for (let i = 0; i <= 30; i++) {
      await publish(String(i), 1000);
      await (await next(fast)).ack();
    }
    const first = Number((await next(reader('late'))).message.id);
    expect(first).toBeGreaterThan(20);
    expect(first).toBeLessThanOrEqual(30);
  });

  it('holds no more than its cap where nobody reads', async () => {
    const { reader, publish, next } = open({}, 10_000);
    for (let i = 0; i <= 30; i++) await publish(String(i), 1000);
    expect(Number((await next(reader('late'))).message.id)).toBeGreaterThan(20);
  });

  it('refuses streams that overlap or share a name', () => {
    const two = (other: Partial<StreamConfig>) => () => new InProcessBus([STREAM, { ...STREAM, ...other }]);
    expect(two({ subjects: ['t.>'] })).toThrow(BusError);
    expect(two({ name: 'T' })).toThrow('streams S and T take the same subjects');
    expect(two({ name: 'T', subjects: ['t.a', 't.*'] })).toThrow('overlap');
    expect(two({ name: 'T', subjects: ['t.>'], duplicateWindowMs: 0 })).toThrow('duplicateWindowMs');
    expect(two({ name: 'T', subjects: ['t.>'] })).not.toThrow();
  });
});

describe('idle', () => {
  it('waits for what is out, what waits for another attempt and what nobody has asked for yet', async () => {
    const { bus, clock, reader, publish, next } = open();
    await bus.idle();
    const from = reader('one');
    await publish('1');
    await publish('2');
    const first = await next(from);
    const idle = bus.idle();
    await first.nak(500);
    expect(await isSettled(idle)).toBe(false);
    await (await next(from)).ack();
    expect(await isSettled(idle)).toBe(false);
    clock.advance(500);
    const again = await next(from);
    expect(await isSettled(idle)).toBe(false);
    await again.ack();
    await idle;
  });

  it('does not wait for what was delivered for the last time', async () => {
    const { bus, clock, reader, publish, next } = open({ retention: 'work-queue' });
    const from = reader('one');
    await publish('1');
    await (await next(from)).nak();
    await next(from);
    const idle = bus.idle();
    expect(await isSettled(idle)).toBe(false);
    clock.advance(1000);
    await idle;
  });

  it('ends with its signal and with the bus', async () => {
    const { bus, reader, publish, next } = open();
    await publish('1');
    await next(reader('one'));
    const controller = new AbortController();
    const stopped = bus.idle({ signal: controller.signal });
    const closed = bus.idle();
    controller.abort(new Error('enough'));
    await expect(stopped).rejects.toThrow('enough');
    expect(await isSettled(closed)).toBe(false);
    await bus.close();
    await closed;
  });

  it('keeps the process alive while only a redelivery is due', () => {
    const entry = new URL('../../dist/index.js', import.meta.url).href;
    const script = `
      const { InProcessBus } = await import(${JSON.stringify(entry)});
      const bus = new InProcessBus([${JSON.stringify(STREAM)}]);
      await bus.publish({ id: '1', subject: 's.a', headers: {}, data: new Uint8Array() });
      const work = async () => {
        for await (const delivery of bus.consume(${JSON.stringify(READER)}, new AbortController().signal)) {
          if (delivery.attempt === 1) await delivery.nak(20);
          else await delivery.ack();
        }
      };
      work();
      await bus.idle();
      console.log('idle');
    `;
    const args = ['--input-type=module', '-e', script];
    const child = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 50_000 });
    expect(child).toMatchObject({ stderr: '', stdout: 'idle\n', status: 0 });
  });
});
