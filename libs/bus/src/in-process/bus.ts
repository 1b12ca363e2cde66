/**
 * The bus inside one process: for the laptop and for tests. It keeps what JetStream keeps as long as the process
 * lives, and nothing beyond it; results that must survive are in the object store.
 */
import { randomUUID } from 'node:crypto';
import { type Clock, systemClock } from '../clock.js';
import {
  type Bus,
  BusError,
  type ConsumerConfig,
  type Delivery,
  type Message,
  type StreamConfig,
} from '../port.js';
import { type PlacedMessage, type ReadOptions, type StreamPosition, type StreamReader } from '../reader.js';
import { checkConsumer, checkMessage, checkStreams } from '../rules.js';
import { anyOverlap, subjectMatches } from '../subjects.js';
import { Consumer } from './consumer.js';
import { Stream } from './stream.js';

export interface InProcessBusOptions {
  readonly clock?: Clock;
  /** Settled messages that a `limits` stream keeps for consumers to come. */
  readonly retainedBytes?: number;
}

const DEFAULT_RETAINED_BYTES = 64 * 1024 * 1024;
/** The longest that a timer can be. */
const KEEP_ALIVE_MS = 2 ** 31 - 1;

export class InProcessBus implements Bus, StreamReader {
  private readonly epoch = randomUUID();
  private readonly streams: ReadonlyMap<string, Stream>;
  private readonly clock: Clock;
  private readonly closing = new AbortController();
  private readonly onIdle = new Set<() => void>();

  constructor(
    streams: readonly StreamConfig[],
    { clock = systemClock, retainedBytes = DEFAULT_RETAINED_BYTES }: InProcessBusOptions = {},
  ) {
    checkStreams(streams);
    this.clock = clock;
    this.streams = new Map(streams.map((config) => [config.name, new Stream(config, retainedBytes, clock)]));
  }

  async publish(
    message: Message,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<{ duplicate: boolean }> {
    options.signal?.throwIfAborted();
    this.checkOpen();
    checkMessage(message);
    for (const stream of this.streams.values()) {
      if (stream.config.subjects.some((filter) => subjectMatches(filter, message.subject)))
        return { duplicate: !stream.add(message) };
    }
    throw new BusError('no-stream', `no stream takes the subject ${message.subject}`);
  }

  async *consume(config: ConsumerConfig, signal: AbortSignal): AsyncGenerator<Delivery> {
    if (signal.aborted) return;
    this.checkOpen();
    const consumer = this.consumer(config);
    const ending = AbortSignal.any([signal, this.closing.signal]);
    while (!ending.aborted) {
      const delivery = await nextOf(consumer, ending);
      if (delivery === undefined) return;
      yield delivery;
    }
  }

  async position(name: string): Promise<StreamPosition> {
    const { firstSequence, lastSequence } = this.stream(name);
    return { epoch: this.epoch, first: firstSequence, last: lastSequence };
  }

  async read(
    name: string,
    { after, subjects, limit }: ReadOptions & { readonly limit: number },
  ): Promise<PlacedMessage[]> {
    const stream = this.stream(name);
    const found: PlacedMessage[] = [];
    for (const placed of stream.behind(after, subjects ?? stream.config.subjects)) {
      if (found.length === limit) break;
      found.push(placed);
    }
    return found;
  }

  async *follow(name: string, options: ReadOptions, signal: AbortSignal): AsyncGenerator<PlacedMessage> {
    const stream = this.stream(name);
    const ending = AbortSignal.any([signal, this.closing.signal]);
    let { after } = options;
    while (!ending.aborted) {
      const { lastSequence: seen } = stream;
      for (const placed of stream.behind(after, options.subjects ?? stream.config.subjects)) {
        if (ending.aborted) return;
        after = placed.sequence;
        yield placed;
      }
      after = Math.max(after, seen);
      if (stream.lastSequence === seen) await added(stream, ending);
    }
  }

  async remove(name: string, sequence: number): Promise<boolean> {
    return this.stream(name).remove(sequence);
  }

  /**
   * Resolves when every message that a consumer reads has been settled: then no handler has anything left to do,
   * as a handler publishes before it settles. A consumer counts from the first message that it asked for. Keeps
   * the process alive until then.
   * @throws the signal's reason
   */
  async idle(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const { signal } = options;
    signal?.throwIfAborted();
    if (this.isIdle) return;
    const alive = setInterval(() => undefined, KEEP_ALIVE_MS);
    let done!: () => void;
    let fail!: () => void;
    try {
      await new Promise<void>((resolve, reject) => {
        done = resolve;
        fail = () => reject(signal?.reason as Error);
        this.onIdle.add(done);
        signal?.addEventListener('abort', fail, { once: true });
      });
    } finally {
      clearInterval(alive);
      this.onIdle.delete(done);
      signal?.removeEventListener('abort', fail);
    }
  }

  async close(): Promise<void> {
    this.closing.abort();
    for (const consumer of this.consumers()) consumer.close();
    for (const done of this.onIdle) done();
  }

  private get isIdle(): boolean {
    return this.closing.signal.aborted || this.consumers().every((consumer) => consumer.isEmpty);
  }

  private consumers(): Consumer[] {
    return [...this.streams.values()].flatMap((stream) => [...stream.consumers.values()]);
  }

  private checkOpen(): void {
    if (this.closing.signal.aborted) throw new BusError('closed', 'the bus is closed');
  }

  private stream(name: string): Stream {
    const stream = this.streams.get(name);
    if (stream === undefined) throw new BusError('no-stream', `there is no stream ${name}`);
    return stream;
  }

  /** The durable consumer of that name, created where it is new. */
  private consumer(config: ConsumerConfig): Consumer {
    const { name, subjects } = config;
    const stream = this.stream(config.stream);
    checkConsumer(config, stream.config);
    const known = stream.consumers.get(name);
    if (known !== undefined) {
      if (known.config.subjects.join(' ') !== subjects.join(' '))
        throw new BusError('conflict', `consumer ${name} already reads ${known.config.subjects.join(', ')}`);
      known.config = config;
      return known;
    }
    if (stream.config.retention === 'work-queue') {
      const other = [...stream.consumers.values()].find((c) => anyOverlap(c.config.subjects, subjects));
      if (other !== undefined)
        throw new BusError(
          'conflict',
          `consumer ${name} would take work of ${other.config.name} from the work queue ${stream.config.name}`,
        );
    }
    const consumer = new Consumer(config, stream, this.clock, () => {
      if (this.onIdle.size > 0 && this.isIdle) for (const done of this.onIdle) done();
    });
    stream.consumers.set(name, consumer);
    return consumer;
  }
}

/** The next delivery, or undefined once the signal has aborted. */
function nextOf(consumer: Consumer, signal: AbortSignal): Promise<Delivery | undefined> {
  return new Promise((resolve) => {
    const onAbort = () => {
      stopWaiting();
      resolve(undefined);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    const stopWaiting = consumer.wait((delivery) => {
      signal.removeEventListener('abort', onAbort);
      resolve(delivery);
    });
  });
}

/** Resolves at the stream's next message, or once the signal has aborted. */
function added(stream: Stream, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.onAdd.delete(done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    stream.onAdd.add(done);
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });
}
