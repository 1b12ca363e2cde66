/**
 * The worker's side: the tasks that a worker file offers. A worker file builds what it needs once, calls this once
 * and keeps its state between tasks.
 *
 *     serveTasks({
 *       gradient: async (input, { signal, transfer }) => {
 *         const result = compute(input, signal);
 *         transfer([result.buffer]);
 *         return result;
 *       },
 *     });
 */
import type { Transferable } from 'node:worker_threads';
import { ownPort } from './own-port.js';
import { type FromWorker, packError, type RunMessage, type ToWorker } from './protocol.js';

export interface TaskContext {
  /**
   * Aborts when the caller cancels. A long task looks at `signal.aborted` or calls `signal.throwIfAborted()`
   * between its steps; both see a cancellation even if the thread never returned to its event loop.
   */
  readonly signal: AbortSignal;
  /** Sends a cloneable value to the caller's `onProgress`, if there is one. */
  progress(value: unknown): void;
  /** Buffers of the result that are moved to the caller, not copied; they are empty here afterwards. */
  transfer(buffers: readonly Transferable[]): void;
}

// Inputs are validated where they enter the process; here their type is an agreement of the two sides.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Task = (input: any, context: TaskContext) => unknown;

/** Answers the pool's requests, one at a time, until the pool ends the thread or process. */
export function serveTasks(tasks: Readonly<Record<string, Task>>): void {
  const port = ownPort();
  const offered = new Map(Object.entries(tasks));
  let cancelled = new Int32Array(1);
  let current: { readonly id: number; readonly abort: () => void } | undefined;

  const send = (message: FromWorker, transfer: readonly Transferable[] = []) => {
    port.post(message, transfer);
  };

  const run = async ({ id, task, input, watched }: RunMessage) => {
    const controller = new AbortController();
    const moved: Transferable[] = [];
    current = { id, abort: () => controller.abort() };
    try {
      const handle = offered.get(task);
      if (handle === undefined) {
        throw new Error(`there is no task "${task}", only ${[...offered.keys()].join(', ')}`);
      }
      const result = await handle(input, {
        signal: pollingSignal(controller, () => Atomics.load(cancelled, 0) === id),
        progress: (value) => {
          if (watched) send({ kind: 'progress', id, value });
        },
        transfer: (buffers) => void moved.push(...buffers),
      });
      current = undefined;
      send({ kind: 'done', id, result }, moved);
    } catch (error) {
      current = undefined;
      send({ kind: 'failed', id, error: packError(error) });
    }
  };

  port.listen((message: ToWorker) => {
    if (message.kind === 'start') cancelled = message.cancelled as Int32Array<ArrayBuffer>;
    else if (message.kind === 'run') void run(message);
    else if (current?.id === message.id) current.abort();
  });
}

/** The controller's signal, which asks `isCancelled` whenever it is looked at. */
function pollingSignal(controller: AbortController, isCancelled: () => boolean): AbortSignal {
  const { signal } = controller;
  const poll = () => {
    if (isCancelled()) controller.abort();
  };
  const { prototype } = AbortSignal;
  const aborted = Object.getOwnPropertyDescriptor(prototype, 'aborted')!.get!;
  return Object.defineProperties(signal, {
    aborted: {
      get: () => {
        poll();
        return aborted.call(signal) as boolean;
      },
    },
    throwIfAborted: {
      value: () => {
        poll();
        prototype.throwIfAborted.call(signal);
      },
    },
  });
}
