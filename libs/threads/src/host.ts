/** What runs the tasks of one place in a pool: a thread of this process, or a process of its own. */
import type { Transferable } from 'node:worker_threads';
import type { FromWorker, ToWorker } from './protocol.js';

export interface Host {
  /** Errors: what cannot be cloned throws. */
  post(message: ToWorker, transfer?: readonly Transferable[]): void;
  /** While it is referenced it keeps this process alive. */
  ref(): void;
  unref(): void;
  /** Ends it at once, whatever it does. `reason` is what its running task is told. */
  end(reason?: string): Promise<void>;
}

export interface HostEvents {
  received(message: FromWorker): void;
  /** Comes once, last. */
  ended(reason: string, cause?: unknown): void;
}
