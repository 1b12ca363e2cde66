/**
 * Runs handlers until they are stopped, each on as many events at a time as it declares.
 *
 * A handler asks for one message at a time, and for none while it can begin none. So it knows of each whether it has come
 * without an end before, before it asks for another: such an event may be one that kills its process. It would take down
 * those beside it; all of them come again at the same time, to the same process, and after some rounds innocent ones would
 * be given up with the guilty one. It is worked on alone: others are finished first, and nothing is asked for meanwhile.
 */
import { once, setMaxListeners } from 'node:events';
import { type Delivery, systemClock } from '@facet/bus';
import { DEFAULT_BACKOFF } from './backoff.js';
import { errorLine } from './error-chain.js';
import { isTerminal } from './errors.js';
import { consumerOf, type Handler } from './handler.js';
import { NO_PROGRESS } from './progress.js';
import { type Registry } from './registry.js';
import { longestMs, Worker, type WorkerPorts } from './worker.js';

type Required = 'bus' | 'registry' | 'log';

export interface RunHandlersOptions<R extends Registry>
  extends Pick<WorkerPorts<R>, Required>, Partial<Omit<WorkerPorts<R>, Required>> {
  readonly handlers: readonly Handler<R>[];
  /** Stops as `stop()` does. */
  readonly signal: AbortSignal;
  /** What runs at the stop may go on for this long; then it is handed back. */
  readonly drainMs?: number;
}

export interface RunningHandlers {
  /** Resolves when nothing runs any more; rejects where the bus refuses a consumer. */
  readonly drained: Promise<void>;
  /** Why messages are not being worked on as they should, for people; undefined where they are. */
  trouble(): string | undefined;
  /** Takes nothing new, lets what runs finish or hands it back, and resolves when that is done. Idempotent. */
  stop(): Promise<void>;
}

/** Shorter than the 30 s that Kubernetes gives a pod to end. */
const DEFAULT_DRAIN_MS = 25_000;

/** Delivered so often without an end, an event may be one that kills its process. */
const ALONE_FROM = 3;

/** The consumers exist when this returns, on a bus in the same process. */
export function runHandlers<R extends Registry>(options: RunHandlersOptions<R>): RunningHandlers {
  const { bus, handlers, signal, clock = systemClock, drainMs = DEFAULT_DRAIN_MS } = options;
  const ports: WorkerPorts<R> = {
    bus,
    registry: options.registry,
    log: options.log,
    clock,
    random: options.random ?? Math.random,
    backoff: options.backoff ?? DEFAULT_BACKOFF,
    progress: options.progress ?? NO_PROGRESS,
    isTerminal: options.isTerminal ?? isTerminal,
  };
  const pulling = new AbortController();
  const halt = new AbortController();
  // Every reader and every attempt waits for these: as many as there are, which Node would take for a leak.
  setMaxListeners(0, pulling.signal, halt.signal);
  let stopTimer: () => void = () => undefined;

  const stopPulling = () => {
    if (pulling.signal.aborted) return;
    pulling.abort();
    stopTimer = clock.setTimer(drainMs, () => halt.abort(new Error('the process ends')));
  };

  /** Until when the work under way must have ended, whatever happens. */
  const deadlines = new Set<{ readonly handler: string; readonly atMs: number }>();
  let refusal: Error | undefined;

  const halted = once(halt.signal, 'abort');
  const work = async (handler: Handler<R>) => {
    const worker = new Worker(handler, ports, halt.signal);
    const running = new Set<Promise<void>>();
    const begin = (delivery: Delivery) => {
      const deadline = { handler: handler.name, atMs: clock.now() + longestMs(handler) };
      deadlines.add(deadline);
      const attempt = worker.process(delivery).finally(() => {
        deadlines.delete(deadline);
        running.delete(attempt);
      });
      running.add(attempt);
    };
    try {
      for await (const delivery of bus.consume(consumerOf(ports.registry, handler), pulling.signal)) {
        const alone = delivery.attempt >= ALONE_FROM;
        if (alone) await worker.hold(delivery, Promise.race([Promise.all(running), halted]));
        begin(delivery);
        while (running.size >= (alone ? 1 : handler.concurrency)) await Promise.race(running);
      }
    } catch (error) {
      refusal ??= error instanceof Error ? error : new Error(String(error));
      stopPulling();
      throw error;
    } finally {
      await Promise.all(running);
    }
  };

  const trouble = (): string | undefined => {
    if (refusal !== undefined) return `no messages are taken any more: ${errorLine(refusal)}`;
    for (const { handler, atMs } of deadlines)
      if (clock.now() > atMs) return `handler ${handler} has neither finished nor let go of an event`;
    return undefined;
  };

  signal.addEventListener('abort', stopPulling, { once: true });
  if (signal.aborted) stopPulling();
  const drained = Promise.allSettled(handlers.map(work)).then((results) => {
    stopTimer();
    signal.removeEventListener('abort', stopPulling);
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  });
  return {
    drained,
    trouble,
    stop: () => {
      stopPulling();
      return drained;
    },
  };
}
