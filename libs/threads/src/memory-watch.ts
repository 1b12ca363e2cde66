/**
 * The thread inside a task's process that ends it: Node's own limits know nothing of native memory, and a main thread
 * inside native code watches nothing. A process that outlives the one that started it ends as well.
 */
import { writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { TOO_MUCH_MEMORY } from './protocol.js';

/** Native code fills some tens of MiB in that time. */
const INTERVAL_MS = 15;
const STDERR = 2;
const MIB = 2 ** 20;

/** What is watched. The parent is told, not asked for here: it may have ended before this thread began. */
export interface Watched {
  readonly limitBytes: number;
  /** Process id of the one that started this process. */
  readonly parent: number;
}

const { limitBytes: limit, parent } = workerData as Watched;

setInterval(() => {
  const resident = process.memoryUsage.rss();
  if (resident > limit) writeSync(STDERR, `\n${TOO_MUCH_MEMORY} ${Math.floor(limit / MIB)} MiB\n`);
  if (resident > limit || process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
}, INTERVAL_MS);
