/** A pool of worker threads: for our own code, which shares memory with them. */
import type { ResourceLimits } from 'node:worker_threads';
import { Place } from './place.js';
import { Pool } from './pool.js';
import { startThread } from './thread-host.js';

export interface ThreadPoolOptions {
  /** For error messages and debuggers. */
  readonly name: string;
  /** The built worker file: `new URL('../dist/worker.js', import.meta.url)` works from `src` and from `dist`. */
  readonly url: URL;
  readonly size: number;
  readonly workerData?: unknown;
  readonly resourceLimits?: ResourceLimits;
  /** A worker whose cancelled task has not stopped after this time is ended. A step must not take longer. */
  readonly stopGraceMs?: number;
}

const DEFAULT_STOP_GRACE_MS = 60_000;

export class ThreadPool extends Pool {
  constructor({ name, size, stopGraceMs = DEFAULT_STOP_GRACE_MS, ...thread }: ThreadPoolOptions) {
    super(
      name,
      size,
      (index, onFree) =>
        new Place(
          {
            name,
            stopGraceMs,
            start: (events, cancelled) =>
              startThread({ ...thread, label: `${name}-${index}`, cancelled }, events),
          },
          onFree,
        ),
    );
  }
}
