/**
 * A fixed number of worker threads that run named tasks, each worker one task at a time; what finds no free worker
 * waits in order. Compute belongs here, since it would stop acks, heartbeats and health checks on the event loop.
 *
 * A worker is started when a task first needs it. One that dies takes only its own task with it and is started anew
 * for the next. An idle pool does not keep the process alive.
 */
import { type ResourceLimits, type Transferable } from 'node:worker_threads';
import { PoolClosed } from './errors.js';
import { onAbort } from './on-abort.js';
import { Thread } from './thread.js';

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

export interface RunOptions<P = unknown> {
  /** Cancels: the promise rejects at once with the signal's reason; the worker is free when its task has stopped. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (value: P) => void;
  /** Buffers of the input that are moved to the worker, not copied; they are empty here afterwards. */
  readonly transfer?: readonly Transferable[];
  /** The worker that must run it, 0 to size - 1: for tasks that use what an earlier task left there. */
  readonly worker?: number;
}

/** A task that was asked for: what to run, and how to tell its caller. Both ends may be called more than once. */
export interface Request {
  readonly task: string;
  readonly input: unknown;
  readonly transfer: readonly Transferable[];
  readonly worker: number | undefined;
  progress(value: unknown): void;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

const DEFAULT_STOP_GRACE_MS = 60_000;

export class ThreadPool {
  readonly size: number;
  private readonly threads: readonly Thread[];
  private readonly waiting: Request[] = [];
  private closing: Promise<void> | undefined;

  constructor(private readonly options: ThreadPoolOptions) {
    const { size, stopGraceMs = DEFAULT_STOP_GRACE_MS } = options;
    if (!Number.isInteger(size) || size < 1) throw new RangeError(`a pool of ${size} workers cannot run`);
    this.size = size;
    this.threads = Array.from(
      { length: size },
      (_, index) => new Thread({ ...options, stopGraceMs }, index, () => this.next()),
    );
  }

  /**
   * Runs a task of the worker file. Input and result are structured-cloned.
   * @throws what the task threw, as an `Error` with the same name, message, stack, causes and plain fields
   * @throws {WorkerCrashed} the worker died
   * @throws {PoolClosed} the pool was closed before the task ended
   */
  run<T, P = unknown>(task: string, input: unknown, options: RunOptions<P> = {}): Promise<T> {
    const { signal, onProgress, transfer = [], worker } = options;
    if (worker !== undefined && !(worker in this.threads)) {
      return Promise.reject(new RangeError(`pool "${this.options.name}" has no worker ${worker}`));
    }
    if (this.closing !== undefined) return Promise.reject(new PoolClosed(this.options.name));
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    return new Promise<T>((resolve, reject) => {
      const request: Request = {
        task,
        input,
        transfer,
        worker,
        progress: (value) => {
          try {
            onProgress?.(value as P);
          } catch (error) {
            this.cancel(request, error);
          }
        },
        resolve: (result) => {
          stopListening?.();
          resolve(result as T);
        },
        reject: (error) => {
          stopListening?.();
          reject(error as Error);
        },
      };
      const stopListening = signal && onAbort(signal, () => this.cancel(request, signal.reason));
      this.waiting.push(request);
      this.next();
    });
  }

  /** Ends every worker; what runs or waits rejects with {@link PoolClosed}. Idempotent. */
  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private async end(): Promise<void> {
    const closed = new PoolClosed(this.options.name);
    for (const request of this.waiting.splice(0)) request.reject(closed);
    await Promise.all(this.threads.map((thread) => thread.close(closed)));
  }

  private cancel(request: Request, reason: unknown): void {
    const at = this.waiting.indexOf(request);
    if (at >= 0) this.waiting.splice(at, 1);
    else this.threads.find((thread) => thread.isRunning(request))?.cancel();
    request.reject(reason);
  }

  /** Gives waiting requests to free workers, the oldest first. */
  private next(): void {
    for (let at = 0; at < this.waiting.length;) {
      const thread = this.freeFor(this.waiting[at]);
      if (thread === undefined) at++;
      else thread.run(this.waiting.splice(at, 1)[0]);
    }
  }

  private freeFor({ worker }: Request): Thread | undefined {
    if (worker !== undefined) return this.threads[worker].isFree ? this.threads[worker] : undefined;
    const free = this.threads.filter((thread) => thread.isFree);
    return free.find((thread) => thread.isStarted) ?? free[0];
  }
}
