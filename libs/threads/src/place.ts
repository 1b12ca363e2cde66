/** One place of a pool: the host that holds it, the task that it runs, and what happens when the host dies. */
import { WorkerCrashed } from './errors.js';
import type { Host, HostEvents } from './host.js';
import { type FromWorker, type ToWorker, unpackError } from './protocol.js';
import type { Request } from './request.js';

export interface PlaceOptions {
  /** Of the pool. */
  readonly name: string;
  /** `cancelled` is where a cancelled task's number is stored, which threads see at once. */
  readonly start: (events: HostEvents, cancelled: Int32Array) => Host;
  /** A host whose cancelled task has not stopped after this time is ended. */
  readonly stopGraceMs: number;
  /** A host whose task says nothing for so long, no result and no progress, is ended. */
  readonly silenceMs?: number;
  /** A host without a task is ended after this time. */
  readonly idleMs?: number;
  /** A task that its host did not survive runs once more in a new one, unless that one was new: its death is the task's. */
  readonly retryInNew?: boolean;
}

interface Running {
  readonly id: number;
  readonly request: Request;
  /** By the process's own clock, in milliseconds. */
  readonly since: number;
  overdue?: NodeJS.Timeout;
  silence?: NodeJS.Timeout;
}

export class Place {
  private host: Host | undefined;
  /** Tasks that the host has had. */
  private had = 0;
  private running: Running | undefined;
  private readonly cancelled = new Int32Array(new SharedArrayBuffer(4));
  private lastId = 0;
  private closed = false;
  private onStopped: (() => void) | undefined;
  /** With tasks that have ended. */
  private spentMs = 0;
  private idle: NodeJS.Timeout | undefined;

  /** @param onFree called when another task may be run */
  constructor(
    private readonly options: PlaceOptions,
    private readonly onFree: () => void,
  ) {}

  get isFree(): boolean {
    return this.running === undefined && !this.closed;
  }

  /** Milliseconds that it has run tasks until now. */
  get busyMs(): number {
    return this.spentMs + (this.running === undefined ? 0 : performance.now() - this.running.since);
  }

  get isStarted(): boolean {
    return this.host !== undefined;
  }

  isRunning(request: Request): boolean {
    return this.running?.request === request;
  }

  run(request: Request): void {
    clearTimeout(this.idle);
    // Wraps where the shared word does; zero means none.
    const id = (this.lastId = (this.lastId % 0x7fffffff) + 1);
    this.running = { id, request, since: performance.now() };
    try {
      const host = (this.host ??= this.start());
      this.had++;
      host.ref();
      const { task, input, transfer } = request;
      // Progress is a sign of life, too.
      const watched = request.watched || this.options.silenceMs !== undefined;
      host.post({ kind: 'run', id, task, input, watched } satisfies ToWorker, transfer);
      this.listen();
    } catch (error) {
      // What cannot be cloned, or a host that cannot be started.
      request.reject(error);
      this.free();
    }
  }

  /** Asks the running task to stop, and ends its host if it does not. */
  cancel(): void {
    if (this.running === undefined) return;
    Atomics.store(this.cancelled, 0, this.running.id);
    this.host?.post({ kind: 'cancel', id: this.running.id });
    this.running.overdue ??= setTimeout(() => void this.host?.end(), this.options.stopGraceMs).unref();
  }

  /**
   * Lets a running task stop between two of its steps before the host is ended: to end a thread inside native code
   * takes the whole process down.
   */
  async close(reason: Error): Promise<void> {
    this.closed = true;
    clearTimeout(this.idle);
    if (this.running !== undefined) {
      this.running.request.reject(reason);
      const stopped = new Promise<void>((resolve) => (this.onStopped = resolve));
      this.cancel();
      await stopped;
    }
    await this.host?.end();
  }

  private start(): Host {
    const host: Host = this.options.start(
      {
        received: (message) => this.receive(message),
        ended: (reason, cause) => {
          if (this.host === host) this.ended(reason, cause);
        },
      },
      this.cancelled,
    );
    this.had = 0;
    return host;
  }

  /** Begins anew to wait for a sign of life of the running task. */
  private listen(): void {
    const { silenceMs } = this.options;
    if (silenceMs === undefined || this.running === undefined) return;
    clearTimeout(this.running.silence);
    const end = () => {
      // Not what the host has become by its earlier tasks: a new one would only be as silent.
      this.had = 1;
      void this.host?.end(`it gave no sign of life for ${silenceMs / 1000} s`);
    };
    this.running.silence = setTimeout(end, silenceMs).unref();
  }

  private receive(message: FromWorker): void {
    if (this.running?.id !== message.id) return;
    const { request } = this.running;
    if (message.kind === 'progress') {
      this.listen();
      request.progress(message.value);
      return;
    }
    if (message.kind === 'done') request.resolve(message.result);
    else request.reject(unpackError(message.error));
    this.host?.unref();
    this.free();
  }

  private ended(reason: string, cause: unknown): void {
    this.host = undefined;
    if (this.running === undefined) return;
    const { request, overdue } = this.running;
    if (this.options.retryInNew && this.had > 1 && overdue === undefined) {
      this.clearTimers();
      this.run(request);
      return;
    }
    const options = cause === undefined ? undefined : { cause };
    request.reject(new WorkerCrashed(this.options.name, request.task, reason, options));
    this.free();
  }

  private clearTimers(): void {
    clearTimeout(this.running?.overdue);
    clearTimeout(this.running?.silence);
  }

  private free(): void {
    this.clearTimers();
    this.spentMs = this.busyMs;
    this.running = undefined;
    this.onStopped?.();
    if (this.options.idleMs !== undefined && this.host !== undefined && !this.closed)
      this.idle = setTimeout(() => this.rest(), this.options.idleMs).unref();
    this.onFree();
  }

  private rest(): void {
    const { host } = this;
    this.host = undefined;
    void host?.end();
  }
}
