/** The worker's end of its connection to the pool: a thread's port, or the channel of a process and its watch. */
import { parentPort, type Transferable, Worker } from 'node:worker_threads';
import type { Watched } from './memory-watch.js';
import type { FromWorker, ToWorker } from './protocol.js';

export interface Port {
  post(message: FromWorker, transfer: readonly Transferable[]): void;
  listen(receive: (message: ToWorker) => void): void;
}

export function ownPort(): Port {
  if (parentPort !== null) return threadPort(parentPort);
  if (process.send !== undefined) return processPort();
  throw new Error('serveTasks runs in a worker of a ThreadPool or a ProcessPool');
}

const threadPort = (port: NonNullable<typeof parentPort>): Port => ({
  post: (message, transfer) => port.postMessage(message, transfer),
  listen(receive) {
    port.on('message', receive);
    port.on('messageerror', (error) => {
      throw error;
    });
  },
});

function processPort(): Port {
  const [limitBytes, parent] = process.argv.slice(2).map(Number);
  const watch = new Worker(new URL('memory-watch.js', import.meta.url), {
    workerData: { limitBytes, parent } satisfies Watched,
  });
  watch.on('error', (error) => {
    throw error;
  });
  return {
    // What cannot be cloned throws here, as it does in a thread.
    post: (message) => void process.send?.(message),
    listen(receive) {
      process.on('disconnect', () => process.exit());
      // Nothing is done before it is watched.
      watch.once('online', () => {
        process.on('message', receive as (message: unknown) => void);
        watch.unref();
      });
    },
  };
}
