/**
 * A fixed number of workers that run named tasks, each worker one task at a time; what finds no free worker waits in
 * order. Compute belongs here, since it would stop acks, heartbeats and health checks on the event loop.
 *
 * A worker is started when a task first needs it. One that dies takes only its own task with it and is started anew
 * for the next. An idle pool does not keep the process alive. Workers are threads in a {@link ThreadPool}, processes
 * in a {@link ProcessPool}.
 */
import type { Transferable } from 'node:worker_threads';
import { PoolClosed } from './errors.js';
import { onAbort } from './on-abort.js';
import type { Place } from './place.js';
import type { Request } from './request.js';

export interface RunOptions<P = unknown> {
  /** Cancels: the promise rejects at once with the signal's reason; the worker is free when its task has stopped. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (value: P) => void;
  /** Buffers of the input that are moved to the worker, not copied; they are empty here afterwards. */
  readonly transfer?: readonly Transferable[];
  /** The worker that must run it, 0 to size - 1: for tasks that use what an earlier task left there. */
  readonly worker?: number;
}

export abstract class Pool {
  readonly size: number;
  private readonly places: readonly Place[];
  private readonly waiting: Request[] = [];
  private closing: Promise<void> | undefined;

  /**
   * @param name for error messages and debuggers
   * @param place makes a worker's place; it is to call `onFree` when another task may be run there
   */
  protected constructor(
    private readonly name: string,
    size: number,
    place: (index: number, onFree: () => void) => Place,
  ) {
    if (!Number.isInteger(size) || size < 1) throw new RangeError(`a pool of ${size} workers cannot run`);
    this.size = size;
    this.places = Array.from({ length: size }, (_, index) => place(index, () => this.next()));
  }

  /**
   * Runs a task of the worker file. Input and result are structured-cloned.
   * @throws what the task threw, as an `Error` with the same name, message, stack, causes and plain fields
   * @throws {WorkerCrashed} the worker died
   * @throws {PoolClosed} the pool was closed before the task ended
   */
  run<T, P = unknown>(task: string, input: unknown, options: RunOptions<P> = {}): Promise<T> {
    const { signal, onProgress, transfer = [], worker } = options;
    if (worker !== undefined && !(worker in this.places)) {
      return Promise.reject(new RangeError(`pool "${this.name}" has no worker ${worker}`));
    }
    if (this.closing !== undefined) return Promise.reject(new PoolClosed(this.name));
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    return new Promise<T>((resolve, reject) => {
      const request: Request = {
        task,
        input,
        transfer,
        worker,
        watched: onProgress !== undefined,
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

  /** Milliseconds that workers have run tasks until now, all of them together: `size` of them a millisecond at most. */
  get busyMs(): number {
    return this.places.reduce((sum, place) => sum + place.busyMs, 0);
  }

  /** Ends every worker; what runs or waits rejects with {@link PoolClosed}. Idempotent. */
  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private async end(): Promise<void> {
    const closed = new PoolClosed(this.name);
    for (const request of this.waiting.splice(0)) request.reject(closed);
    await Promise.all(this.places.map((place) => place.close(closed)));
  }

  private cancel(request: Request, reason: unknown): void {
    const at = this.waiting.indexOf(request);
    if (at >= 0) this.waiting.splice(at, 1);
    else this.places.find((place) => place.isRunning(request))?.cancel();
    request.reject(reason);
  }

  /** Gives waiting requests to free workers, the oldest first. */
  private next(): void {
    for (let at = 0; at < this.waiting.length;) {
      const place = this.freeFor(this.waiting[at]);
      if (place === undefined) at++;
      else place.run(this.waiting.splice(at, 1)[0]);
    }
  }

  private freeFor({ worker }: Request): Place | undefined {
    if (worker !== undefined) return this.places[worker].isFree ? this.places[worker] : undefined;
    const free = this.places.filter((place) => place.isFree);
    return free.find((place) => place.isStarted) ?? free[0];
  }
}
