/** One place of the pool: the worker that holds it, the task that it runs, and what happens when the worker dies. */
import { Worker } from 'node:worker_threads';
import { WorkerCrashed } from './errors.js';
import { type Request, type ThreadPoolOptions } from './pool.js';
import { type FromWorker, type ToWorker, unpackError } from './protocol.js';

/**
 * A worker file is a built one, run by plain Node. The flags of the process that starts it are not for it: a test
 * runner's would resolve our packages to their TypeScript sources, `--input-type` would refuse a file.
 */
const WORKER_FLAGS: string[] = [];

type ThreadOptions = ThreadPoolOptions & { readonly stopGraceMs: number };

interface Running {
  readonly id: number;
  readonly request: Request;
  overdue?: NodeJS.Timeout;
}

export class Thread {
  private worker: Worker | undefined;
  private running: Running | undefined;
  private readonly cancelled = new Int32Array(new SharedArrayBuffer(4));
  private lastId = 0;
  private closed = false;
  private onStopped: (() => void) | undefined;

  /** @param onFree called when another task may be run */
  constructor(
    private readonly options: ThreadOptions,
    private readonly index: number,
    private readonly onFree: () => void,
  ) {}

  get isFree(): boolean {
    return this.running === undefined && !this.closed;
  }

  get isStarted(): boolean {
    return this.worker !== undefined;
  }

  isRunning(request: Request): boolean {
    return this.running?.request === request;
  }

  run(request: Request): void {
    // Wraps where the shared word does; zero means none.
    const id = (this.lastId = (this.lastId % 0x7fffffff) + 1);
    this.running = { id, request };
    try {
      const worker = (this.worker ??= this.start());
      worker.ref();
      const { task, input, transfer } = request;
      this.send({ kind: 'run', id, task, input }, transfer);
    } catch (error) {
      // What cannot be cloned, or a worker that cannot be started.
      request.reject(error);
      this.free();
    }
  }

  /** Asks the running task to stop, and ends the worker if it does not. */
  cancel(): void {
    if (this.running === undefined) return;
    Atomics.store(this.cancelled, 0, this.running.id);
    this.send({ kind: 'cancel', id: this.running.id });
    this.running.overdue ??= setTimeout(
      () => void this.worker?.terminate(),
      this.options.stopGraceMs,
    ).unref();
  }

  /**
   * Lets a running task stop between two of its steps before the worker is ended: to end a thread inside native code
   * takes the whole process down.
   */
  async close(reason: Error): Promise<void> {
    this.closed = true;
    if (this.running !== undefined) {
      this.running.request.reject(reason);
      const stopped = new Promise<void>((resolve) => (this.onStopped = resolve));
      this.cancel();
      await stopped;
    }
    await this.worker?.terminate();
  }

  private start(): Worker {
    const { url, name, workerData, resourceLimits } = this.options;
    const worker = new Worker(url, {
      name: `${name}-${this.index}`,
      workerData,
      resourceLimits,
      execArgv: WORKER_FLAGS,
    });
    let failure: unknown;
    const fail = (error: unknown) => {
      failure ??= error;
    };
    worker.on('message', (message: FromWorker) => this.receive(message));
    worker.on('error', fail);
    worker.on('messageerror', (error) => {
      fail(error);
      void worker.terminate();
    });
    worker.on('exit', (code) => this.ended(code, failure));
    worker.postMessage({ kind: 'start', cancelled: this.cancelled } satisfies ToWorker);
    return worker;
  }

  private send(message: ToWorker, transfer: Request['transfer'] = []): void {
    this.worker?.postMessage(message, transfer);
  }

  private receive(message: FromWorker): void {
    if (this.running?.id !== message.id) return;
    const { request } = this.running;
    if (message.kind === 'progress') {
      request.progress(message.value);
      return;
    }
    if (message.kind === 'done') request.resolve(message.result);
    else request.reject(unpackError(message.error));
    this.worker?.unref();
    this.free();
  }

  private ended(code: number, failure: unknown): void {
    this.worker = undefined;
    if (this.running === undefined) return;
    const reason = failure instanceof Error ? failure.message : `it ended with code ${code}`;
    const { request } = this.running;
    const options = failure === undefined ? undefined : { cause: failure };
    request.reject(new WorkerCrashed(this.options.name, request.task, reason, options));
    this.free();
  }

  private free(): void {
    clearTimeout(this.running?.overdue);
    this.running = undefined;
    this.onStopped?.();
    this.onFree();
  }
}
