/** Runs handlers until they are stopped: each with as many readers of its consumer as it works on events at a time. */
import { setMaxListeners } from 'node:events';
import { systemClock } from '@facet/bus';
import { DEFAULT_BACKOFF } from './backoff.js';
import { errorLine } from './error-chain.js';
import { isTerminal } from './errors.js';
import { consumerOf, type Handler } from './handler.js';
import { NO_PROGRESS } from './progress.js';
import { type Registry } from './registry.js';
import { Solitude } from './solitude.js';
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
  const deadlines = new Map<symbol, { readonly handler: string; readonly atMs: number }>();
  let refusal: Error | undefined;

  const read = async (handler: Handler<R>, worker: Worker<R>, solitude: Solitude) => {
    const self = Symbol(handler.name);
    try {
      const consumer = consumerOf(ports.registry, handler);
      while (!pulling.signal.aborted) {
        if (solitude.isClaimed) await solitude.free(pulling.signal);
        const asking = AbortSignal.any([pulling.signal, solitude.signal]);
        for await (const delivery of bus.consume(consumer, asking)) {
          deadlines.set(self, { handler: handler.name, atMs: clock.now() + longestMs(handler) });
          await worker.process(delivery);
          deadlines.delete(self);
        }
        // It ends before its signal where the bus was closed.
        if (!asking.aborted) return;
      }
    } catch (error) {
      refusal ??= error instanceof Error ? error : new Error(String(error));
      stopPulling();
      throw error;
    }
  };

  const trouble = (): string | undefined => {
    if (refusal !== undefined) return `no messages are taken any more: ${errorLine(refusal)}`;
    for (const { handler, atMs } of deadlines.values())
      if (clock.now() > atMs) return `handler ${handler} has neither finished nor let go of an event`;
    return undefined;
  };

  signal.addEventListener('abort', stopPulling, { once: true });
  if (signal.aborted) stopPulling();
  const readers = handlers.flatMap((handler) => {
    const solitude = new Solitude();
    const worker = new Worker(handler, ports, solitude, halt.signal);
    return Array.from({ length: handler.concurrency }, () => read(handler, worker, solitude));
  });
  const drained = Promise.allSettled(readers).then((results) => {
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
