/** Handlers that run on a bus in memory by a clock of the test's own. */
import { InProcessBus, ManualClock, type Message, type StreamConfig } from '@facet/bus';
import { afterEach } from 'vitest';
import { z } from 'zod';
import { decodeDeadLetter } from './dead-letter.js';
import { encodeEvent } from './envelope.js';
import { defineHandler, type Handler, type HandlerContext } from './handler.js';
import { type Log, type LogFields } from './log.js';
import { runHandlers, type RunHandlersOptions } from './run-handlers.js';

const Numbered = z.strictObject({ n: z.int() });
export const REGISTRY = {
  asked: { stream: 'FACTS', schema: Numbered, subject: () => 'facts.asked' },
  answered: { stream: 'FACTS', schema: Numbered, subject: () => 'facts.answered' },
  failed: { stream: 'FACTS', schema: z.strictObject({ why: z.string() }), subject: () => 'facts.failed' },
  work: { stream: 'JOBS', schema: Numbered, subject: (pool = 'cpu') => `jobs.work.${pool}` },
};
export type R = typeof REGISTRY;

const STREAMS: StreamConfig[] = [
  { name: 'FACTS', subjects: ['facts.>'], retention: 'limits', duplicateWindowMs: 60_000 },
  { name: 'JOBS', subjects: ['jobs.>'], retention: 'work-queue', duplicateWindowMs: 60_000 },
  { name: 'DLQ', subjects: ['facet.dlq.>'], retention: 'limits', duplicateWindowMs: 60_000 },
];

export const LIMITS = {
  publishes: ['asked', 'answered', 'failed', 'work'],
  concurrency: 1,
  ackWaitMs: 3_000,
  attemptLimitMs: 20_000,
  maxDeliver: 3,
} as const;

export function gate<T = void>() {
  let open!: (value: T) => void;
  const passed = new Promise<T>((resolve) => (open = resolve));
  return { open, passed };
}

let cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of cleanUp) await step();
  cleanUp = [];
});

export function start(handlers: Handler<R>[], more: Partial<RunHandlersOptions<R>> = {}) {
  const clock = new ManualClock();
  const bus = new InProcessBus(STREAMS, { clock });
  const published: Message[] = [];
  const lines: { level: string; message: string; fields?: LogFields }[] = [];
  const line = (level: string) => (message: string, fields?: LogFields) =>
    lines.push({ level, message, fields });
  const log = Object.fromEntries(
    ['debug', 'info', 'warn', 'error'].map((l) => [l, line(l)]),
  ) as unknown as Log;
  const recording = {
    publish: (message: Message, options?: { signal?: AbortSignal }) => {
      published.push(message);
      return bus.publish(message, options);
    },
    consume: bus.consume.bind(bus),
    close: () => bus.close(),
  };
  const controller = new AbortController();
  const run = (over: Partial<RunHandlersOptions<R>> = {}) =>
    runHandlers<R>({
      bus: recording,
      registry: REGISTRY,
      handlers,
      log,
      clock,
      signal: controller.signal,
      random: () => 0,
      ...more,
      ...over,
    });
  const running = run();
  cleanUp.push(() => bus.close());
  const send = (n: number, pool?: string) =>
    bus.publish(
      encodeEvent(REGISTRY, {
        id: `in-${n}`,
        type: pool === undefined ? 'asked' : 'work',
        source: '/test',
        time: '2026-01-01T00:00:00Z',
        traceparent: '00-trace-span-01',
        data: { n },
        pool,
      }),
    );
  const events = () => published.filter(({ subject }) => !subject.startsWith('facet.dlq'));
  const letters = () =>
    published.filter(({ subject }) => subject.startsWith('facet.dlq')).map(decodeDeadLetter);
  /** Lets everything that is ready run. */
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  /** Moves the clock step by step, as the code under test sets timers on its way. */
  const elapse = async (ms: number) => {
    for (let gone = 0; gone < ms; gone += 500) {
      await settle();
      clock.advance(500);
    }
    await settle();
  };
  return {
    bus,
    clock,
    running,
    run,
    send,
    published,
    events,
    letters,
    lines,
    elapse,
    settle,
    controller,
    recording,
  };
}

/** A handler that takes `asked` and does what the test says, attempt by attempt. */
export function asking(handle: Handler<R, 'asked'>['handle'], more: Partial<Handler<R, 'asked'>> = {}) {
  return defineHandler(REGISTRY, { ...LIMITS, name: 'asking', consumes: ['asked'], handle, ...more });
}

/** Runs until aborted, then ends. */
export const untilAborted = ({ signal }: HandlerContext) =>
  new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error));
  });
