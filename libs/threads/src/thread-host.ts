/** A worker thread: shares memory with its pool, and takes the whole process with it if native code crashes. */
import { type ResourceLimits, Worker } from 'node:worker_threads';
import { letHeapsGrow } from './heap-growth.js';
import type { Host, HostEvents } from './host.js';
import type { FromWorker, ToWorker } from './protocol.js';

/**
 * A worker file is a built one, run by plain Node. The flags of the process that starts it are not for it: a test
 * runner's would resolve our packages to their TypeScript sources, `--input-type` would refuse a file.
 */
const WORKER_FLAGS: string[] = [];

export interface ThreadOptions {
  readonly url: URL;
  /** For debuggers. */
  readonly label: string;
  readonly workerData?: unknown;
  readonly resourceLimits?: ResourceLimits;
  /** The word of {@link ToWorker}'s start message. */
  readonly cancelled: Int32Array;
}

export function startThread(
  { url, label, workerData, resourceLimits, cancelled }: ThreadOptions,
  events: HostEvents,
): Host {
  letHeapsGrow();
  const worker = new Worker(url, { name: label, workerData, resourceLimits, execArgv: WORKER_FLAGS });
  let failure: unknown;
  let told: string | undefined;
  worker.on('message', (message: FromWorker) => events.received(message));
  worker.on('error', (error) => {
    failure ??= error;
  });
  worker.on('messageerror', (error) => {
    failure ??= error;
    void worker.terminate();
  });
  worker.on('exit', (code) => {
    const reason = failure instanceof Error ? failure.message : `it ended with code ${code}`;
    events.ended(told ?? reason, failure);
  });
  worker.postMessage({ kind: 'start', cancelled } satisfies ToWorker);
  return {
    post: (message, transfer = []) => worker.postMessage(message, transfer),
    ref: () => worker.ref(),
    unref: () => worker.unref(),
    async end(reason) {
      told ??= reason;
      await worker.terminate();
    },
  };
}
