/** Runs handlers until they are stopped: each with as many readers of its consumer as it works on events at a time. */
import { setMaxListeners } from 'node:events';
import { systemClock } from '@facet/bus';
import { DEFAULT_BACKOFF } from './backoff.js';
import { isTerminal } from './errors.js';
import { consumerOf, type Handler } from './handler.js';
import { NO_PROGRESS } from './progress.js';
import { type Registry } from './registry.js';
import { Worker, type WorkerPorts } from './worker.js';

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

  const read = async (handler: Handler<R>, worker: Worker<R>) => {
    try {
      const consumer = consumerOf(ports.registry, handler);
      for await (const delivery of bus.consume(consumer, pulling.signal)) await worker.process(delivery);
    } catch (error) {
      stopPulling();
      throw error;
    }
  };

  signal.addEventListener('abort', stopPulling, { once: true });
  if (signal.aborted) stopPulling();
  const readers = handlers.flatMap((handler) => {
    const worker = new Worker(handler, ports, halt.signal);
    return Array.from({ length: handler.concurrency }, () => read(handler, worker));
  });
  const drained = Promise.allSettled(readers).then((results) => {
    stopTimer();
    signal.removeEventListener('abort', stopPulling);
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  });
  return {
    drained,
    stop: () => {
      stopPulling();
      return drained;
    },
  };
}
