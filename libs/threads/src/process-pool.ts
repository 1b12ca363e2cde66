/**
 * A pool of processes: for work on what is not trusted, or on libraries that may crash. Whatever a task does to its
 * process, this one only gets a {@link WorkerCrashed} with the reason. A task that kills a process which has run others
 * before gets a new one, so that it does not answer for what they left behind.
 */
import { Place } from './place.js';
import { Pool } from './pool.js';
import { startProcess } from './process-host.js';

export interface ProcessPoolOptions {
  /** For error messages. */
  readonly name: string;
  /** The built worker file, as a {@link ThreadPool} takes it; it calls `serveTasks`. */
  readonly url: URL;
  readonly size: number;
  /** Resident memory of one process, native memory included, beyond which it is killed. */
  readonly memoryBytes: number;
  /** A task that says nothing for so long, no result and no progress, is killed. */
  readonly silenceMs: number;
  /** All that the processes see of the environment; nothing unless given. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** The next model often comes soon, and starting a process takes longer than checking a small one. */
const IDLE_MS = 10_000;

export class ProcessPool extends Pool {
  constructor({ name, size, silenceMs, environment = {}, ...process }: ProcessPoolOptions) {
    const options = {
      name,
      silenceMs,
      idleMs: IDLE_MS,
      // Nothing of this process hangs on a task in another one.
      stopGraceMs: 0,
      retryInNew: true,
      start: (events: Parameters<typeof startProcess>[1]) =>
        startProcess({ ...process, environment }, events),
    };
    super(name, size, (_, onFree) => new Place(options, onFree));
  }
}
