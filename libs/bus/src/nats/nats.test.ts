/** The bus's conformance on a real NATS server, and what happens when it is away. */
import { type LocalNats, programsFound, startNats, TcpProxy } from '@facet/local';
import { jetstreamManager } from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { busConformance, streamReaderConformance } from '../conformance.js';
import type { ConsumerConfig, StreamConfig } from '../port.js';
import { NatsBus } from './bus.js';
import { connectNats } from './connection.js';
import { ensureConsumer, ensureStream } from './setup.js';

/** Long beside the lateness of timers on a busy machine, which these tests measure in parts of it. */
const ACK_WAIT_MS = 1_000;

describe.skipIf(!programsFound('nats-server'))('NATS', () => {
  let nats: LocalNats;
  // One for each test: a stream of the same name may find what a deletion has not removed from the disk yet.
  beforeEach(async () => {
    nats = await startNats();
  });
  afterEach(() => nats.server.stop());

  async function manager() {
    const connection = await connectNats({ url: nats.url, name: 'test' });
    return { jsm: await jetstreamManager(connection), close: () => connection.close() };
  }

  async function open(streams: readonly StreamConfig[]) {
    const { jsm, close } = await manager();
    for (const stream of streams) await ensureStream(jsm, stream, 1);
    const bus = await NatsBus.connect({ url: nats.url, name: 'test' }, streams);
    return {
      bus,
      elapse: (ms: number) => sleep(ms),
      async close() {
        await bus.close();
        await close();
      },
    };
  }

  busConformance('NATS JetStream', { open, ackWaitMs: ACK_WAIT_MS });

  streamReaderConformance('NATS JetStream', async (streams) => {
    const { bus, close } = await open(streams);
    return { bus, reader: bus, close };
  });

  const STREAM: StreamConfig = {
    name: 'OWN',
    subjects: ['own.>'],
    retention: 'work-queue',
    duplicateWindowMs: 60_000,
  };
  const CONSUMER: ConsumerConfig = {
    name: 'own',
    stream: 'OWN',
    subjects: ['own.a', 'own.b'],
    ackWaitMs: 30_000,
    maxDeliver: 5,
    maxAckPending: 10,
  };

  it('makes what is declared once, changes what is otherwise, and destroys nothing', async () => {
    const { jsm, close } = await manager();
    expect(await ensureStream(jsm, STREAM, 1)).toBe('created');
    expect(await ensureStream(jsm, STREAM, 1)).toBe('unchanged');
    expect(await ensureStream(jsm, { ...STREAM, duplicateWindowMs: 50_000 }, 1)).toBe('changed');
    const limits = { ...STREAM, retention: 'limits' as const };
    await expect(ensureStream(jsm, limits, 1)).rejects.toThrow('changing that would lose its messages');
    expect(await ensureConsumer(jsm, CONSUMER, STREAM)).toBe('created');
    expect(await ensureConsumer(jsm, CONSUMER, STREAM)).toBe('unchanged');
    expect(await ensureConsumer(jsm, { ...CONSUMER, maxDeliver: 6 }, STREAM)).toBe('changed');
    const other = { ...CONSUMER, subjects: ['own.c'] };
    await expect(ensureConsumer(jsm, other, STREAM)).rejects.toThrow('already reads own.a, own.b');
    await close();
  });

  it('goes on where it was after the server was taken away: readers, publishers and what is unsettled', async () => {
    const opened = await open([STREAM]);
    const { bus } = opened;
    const message = (id: string) => ({ id, subject: 'own.a', headers: {}, data: new Uint8Array([1]) });
    const controller = new AbortController();
    const from = bus.consume(CONSUMER, controller.signal)[Symbol.asyncIterator]();
    await bus.publish(message('1'));
    const first = (await from.next()).value!;
    const waiting = from.next();
    await nats.server.kill();
    const published = bus.publish(message('2'));
    await nats.server.revive();
    expect(await published).toEqual({ duplicate: false });
    expect((await waiting).value).toMatchObject({ message: { id: '2' } });
    await first.ack();
    expect(await bus.publish(message('2'))).toEqual({ duplicate: true });
    await opened.close();
  });

  it('gives who follows what was lost with a connection, though nothing comes behind it', async () => {
    const kept = { ...STREAM, retention: 'limits' as const };
    const opened = await open([kept]);
    const { jsm, close } = await manager();
    const proxy = await TcpProxy.start(Number(new URL(nats.url).port));
    const cut = await NatsBus.connect({ url: `nats://127.0.0.1:${proxy.port}`, name: 'test' }, [kept]);
    const publish = (id: string) =>
      opened.bus.publish({ id, subject: 'own.a', headers: {}, data: new Uint8Array([1]) });
    const following = cut.follow(STREAM.name, { after: 0 }, new AbortController().signal);
    await publish('1');
    expect((await following.next()).value).toMatchObject({ message: { id: '1' } });
    const next = following.next();
    // Longer than anybody waits: what the server sends from now on, it has sent for nothing.
    proxy.delayMs = 60_000;
    await publish('2');
    const sent = async () => (await jsm.consumers.list(STREAM.name).next())[0].delivered.stream_seq;
    await expect.poll(sent).toBe(2);
    proxy.delayMs = 0;
    expect(proxy.drop()).toBe(1);
    expect((await next).value).toMatchObject({ message: { id: '2' } });
    await Promise.all([cut.close(), opened.close(), close()]);
    await proxy.close();
  });

  it('tells the ack wait that the server keeps, not the one that was declared', async () => {
    const { jsm, close } = await manager();
    await ensureStream(jsm, STREAM, 1);
    await ensureConsumer(jsm, CONSUMER, STREAM);
    await jsm.consumers.update(STREAM.name, CONSUMER.name, { ack_wait: nanos(7_000) });
    const opened = await open([STREAM]);
    await opened.bus.publish({ id: '1', subject: 'own.a', headers: {}, data: new Uint8Array([1]) });
    const controller = new AbortController();
    const { value } = await opened.bus.consume(CONSUMER, controller.signal)[Symbol.asyncIterator]().next();
    expect(value).toMatchObject({ attempt: 1, ackWaitMs: 7_000 });
    await value!.ack();
    await opened.close();
    await close();
  });

  it('says where nobody answers', async () => {
    const refused = NatsBus.connect({ url: 'nats://127.0.0.1:1', name: 'test' }, [STREAM]);
    await expect(refused).rejects.toMatchObject({ fault: 'unavailable', terminal: false });
    await expect(refused).rejects.toThrow('NATS at nats://127.0.0.1:1 cannot be reached');
  });
});
