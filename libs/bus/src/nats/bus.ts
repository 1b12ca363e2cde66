/**
 * The bus on NATS JetStream. Streams and consumers are made by a bootstrap; a consumer that is missing all the same is
 * made by its first reader, where the user may. While NATS is away, publishing waits and readers go on trying: an
 * outage must not use up a job's attempts.
 */
import { jetstream, type JetStreamClient, type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { millis, type NatsConnection } from '@nats-io/transport-node';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Bus,
  BusError,
  type ConsumerConfig,
  type Delivery,
  type Message,
  type StreamConfig,
} from '../port.js';
import { type PlacedMessage, type ReadOptions, type StreamPosition, type StreamReader } from '../reader.js';
import { checkMessage, checkStreams } from '../rules.js';
import { subjectMatches } from '../subjects.js';
import { connectNats, type NatsOptions } from './connection.js';
import { busErrorOf } from './faults.js';
import { headersOf } from './message.js';
import { type OpenedConsumer, pull } from './reader.js';
import { openConsumer } from './setup.js';
import { followFrom, positionOf, readNow, removeAt } from './stream-reader.js';

/** One try; a server that is there answers within milliseconds. */
const PUBLISH_TIMEOUT_MS = 5_000;
/** Outages up to this long are waited out; a job's heartbeats go on meanwhile, as far as they can. */
const PUBLISH_PATIENCE_MS = 120_000;
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 1_000;
/** What was sent last, such as an ack, has this long to get out. */
const CLOSE_LIMIT_MS = 2_000;

const pauseMs = (failures: number): number =>
  Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures) * (0.5 + Math.random() / 2);

const memoKey = ({ stream, name, subjects }: ConsumerConfig): string => [stream, name, ...subjects].join(' ');

export interface Backlog {
  /** Messages that no reader has been given yet. */
  readonly waiting: number;
  /** Messages that are being worked on, or wait for another attempt. */
  readonly unsettled: number;
}

export class NatsBus implements Bus, StreamReader {
  private readonly js: JetStreamClient;
  private readonly closing = new AbortController();
  private readonly consumers = new Map<string, Promise<OpenedConsumer>>();
  private closed: Promise<void> | undefined;

  private constructor(
    private readonly connection: NatsConnection,
    private readonly streams: readonly StreamConfig[],
  ) {
    this.js = jetstream(connection, { timeout: PUBLISH_TIMEOUT_MS });
  }

  /** @param streams as the bootstrap makes them: what they do not take is refused here, before anything is sent */
  static async connect(options: NatsOptions, streams: readonly StreamConfig[]): Promise<NatsBus> {
    checkStreams(streams);
    return new NatsBus(await connectNats(options), streams);
  }

  /** Whether the server answers, without patience. For readiness. */
  async check(): Promise<void> {
    this.checkOpen();
    try {
      await this.connection.rtt();
    } catch (error) {
      throw busErrorOf('a ping', error);
    }
  }

  async publish(
    message: Message,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<{ duplicate: boolean }> {
    const { signal } = options;
    signal?.throwIfAborted();
    this.checkOpen();
    checkMessage(message);
    const stream = this.streams.find(({ subjects }) =>
      subjects.some((filter) => subjectMatches(filter, message.subject)),
    );
    if (stream === undefined)
      throw new BusError('no-stream', `no stream takes the subject ${message.subject}`);
    const ending = signal ? AbortSignal.any([signal, this.closing.signal]) : this.closing.signal;
    const end = Date.now() + PUBLISH_PATIENCE_MS;
    for (let failures = 0; ; failures++) {
      try {
        const { duplicate } = await this.send(message, stream.name);
        return { duplicate };
      } catch (error) {
        signal?.throwIfAborted();
        this.checkOpen();
        const wrong = busErrorOf(`message ${message.id} to ${message.subject}`, error);
        if (wrong.terminal || Date.now() > end) throw wrong;
        await sleep(pauseMs(failures), undefined, { signal: ending }).catch(() => undefined);
        signal?.throwIfAborted();
        this.checkOpen();
      }
    }
  }

  async *consume(config: ConsumerConfig, signal: AbortSignal): AsyncGenerator<Delivery> {
    if (signal.aborted) return;
    this.checkOpen();
    const ending = AbortSignal.any([signal, this.closing.signal]);
    for (let failures = 0; !ending.aborted;) {
      try {
        const delivery = await pull(this.connection, await this.consumer(config), ending);
        failures = 0;
        if (delivery !== undefined) yield delivery;
      } catch (error) {
        if (ending.aborted) return;
        const wrong = busErrorOf(`consumer ${config.name}`, error);
        if (wrong.terminal) throw wrong;
        // It may be gone, or the whole server may have been replaced: look for it anew.
        this.consumers.delete(memoKey(config));
        await sleep(pauseMs(failures++), undefined, { signal: ending }).catch(() => undefined);
      }
    }
  }

  position(name: string): Promise<StreamPosition> {
    return this.asking(name, async () => positionOf(await this.manager(), name));
  }

  read(name: string, options: ReadOptions & { readonly limit: number }): Promise<PlacedMessage[]> {
    return this.asking(name, () => readNow(this.js, name, options));
  }

  async *follow(name: string, options: ReadOptions, signal: AbortSignal): AsyncGenerator<PlacedMessage> {
    this.stream(name);
    const ending = AbortSignal.any([signal, this.closing.signal]);
    let { after } = options;
    for (let failures = 0; !ending.aborted;) {
      try {
        for await (const placed of followFrom(this.js, name, { ...options, after }, ending)) {
          failures = 0;
          after = placed.sequence;
          yield placed;
        }
      } catch (error) {
        if (ending.aborted) return;
        const wrong = busErrorOf(`stream ${name}`, error);
        if (wrong.terminal) throw wrong;
        await sleep(pauseMs(failures++), undefined, { signal: ending }).catch(() => undefined);
      }
    }
  }

  /** What a consumer has before it, for people and for scaling. */
  backlog({ stream, name }: ConsumerConfig): Promise<Backlog> {
    return this.asking(stream, async () => {
      const info = await (await this.manager()).consumers.info(stream, name);
      return { waiting: info.num_pending, unsettled: info.num_ack_pending };
    });
  }

  remove(name: string, sequence: number): Promise<boolean> {
    return this.asking(name, async () => removeAt(await this.manager(), name, sequence));
  }

  close(): Promise<void> {
    this.closed ??= this.end();
    return this.closed;
  }

  private async end(): Promise<void> {
    this.closing.abort();
    const limit = sleep(CLOSE_LIMIT_MS, undefined, { ref: false });
    await Promise.race([this.connection.drain().catch(() => undefined), limit]);
    await this.connection.close();
  }

  private send(message: Message, streamName: string) {
    return this.js.publish(message.subject, message.data, {
      msgID: message.id,
      headers: headersOf(message),
      expect: { streamName },
      timeout: PUBLISH_TIMEOUT_MS,
    });
  }

  private manager(): Promise<JetStreamManager> {
    return jetstreamManager(this.connection, { timeout: PUBLISH_TIMEOUT_MS, checkAPI: false });
  }

  private stream(name: string): StreamConfig {
    this.checkOpen();
    const stream = this.streams.find((known) => known.name === name);
    if (stream === undefined) throw new BusError('no-stream', `there is no stream ${name}`);
    return stream;
  }

  private async asking<T>(name: string, work: () => Promise<T>): Promise<T> {
    this.stream(name);
    try {
      return await work();
    } catch (error) {
      throw busErrorOf(`stream ${name}`, error);
    }
  }

  private checkOpen(): void {
    if (this.closing.signal.aborted) throw new BusError('closed', 'the bus is closed');
  }

  /** Looked up once for all readers. */
  private consumer(config: ConsumerConfig): Promise<OpenedConsumer> {
    const key = memoKey(config);
    const known = this.consumers.get(key);
    if (known !== undefined) return known;
    const opening = this.open(config);
    this.consumers.set(key, opening);
    opening.catch(() => this.consumers.delete(key));
    return opening;
  }

  private async open(config: ConsumerConfig): Promise<OpenedConsumer> {
    const { info } = await openConsumer(await this.manager(), config, this.stream(config.stream));
    const ackWaitMs = info.config.ack_wait === undefined ? config.ackWaitMs : millis(info.config.ack_wait);
    return { consumer: this.js.consumers.getConsumerFromInfo(info), ackWaitMs };
  }
}
