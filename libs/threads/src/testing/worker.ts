/** The worker file of this package's own tests; `tsc -b` builds it, as plain Node runs it. */
import { readdirSync, writeSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { workerData } from 'node:worker_threads';
import { serveTasks } from '../serve.js';

class ModelLikeError extends Error {
  override readonly name = 'ModelLikeError';
  readonly notCloneable = () => 0;
  constructor(
    readonly fault: string,
    readonly where: string,
  ) {
    super(`${where}: broken`, { cause: new TypeError('the deeper reason') });
  }
}

let count = 0;

serveTasks({
  echo: (input) => input,
  data: () => workerData,
  count: () => ++count,
  resolve: () => import.meta.resolve('@facet/threads'),
  fail: () => {
    throw new ModelLikeError('invalid', 'node Conv_3');
  },
  failWithText: () => {
    throw 'only text';
  },
  uncloneable: () => () => 0,
  sum: (input: Float32Array, { progress, transfer }) => {
    input.forEach((value, i) => progress({ done: i + 1, value }));
    const result = Float32Array.of(input.reduce((a, b) => a + b, 0));
    transfer([result.buffer]);
    return result;
  },
  /** Its progress cannot be sent. */
  reports: (_, { progress }) => {
    progress(() => undefined);
    return 'done';
  },
  /** Holds the thread without a turn of its event loop: only the shared word can tell it to stop. */
  spin: (_, { signal, progress }) => {
    progress('spinning');
    while (!signal.aborted);
    signal.throwIfAborted();
  },
  spinUntilThrown: (_, { signal, progress }) => {
    progress('spinning');
    for (;;) signal.throwIfAborted();
  },
  /** Says in shared memory that it came to its own end after it was told to stop. */
  tidy: async (stopped: Int32Array, { signal, progress }) => {
    progress('working');
    while (!signal.aborted) await setImmediate();
    Atomics.store(stopped, 0, 1);
  },
  wait: async (_, { signal, progress }) => {
    const aborted = new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    });
    progress('waiting');
    await aborted;
  },
  /** Waits on a gate that the test opens, so that the test decides when the worker is free. */
  gate: async (input: Int32Array, { progress }) => {
    progress('at the gate');
    while (Atomics.load(input, 0) === 0) await setImmediate();
    return 'through';
  },
  deaf: (_, { progress }) => {
    progress('deaf');
    for (;;);
  },
  exit: () => process.exit(3),
  outOfMemory: () => {
    const hoard: number[][] = [];
    for (;;) hoard.push(new Array<number>(100_000).fill(1.5));
  },
  /** What the process sees of the world. */
  world: () => ({
    pid: process.pid,
    folder: process.cwd(),
    files: readdirSync('.'),
    environment: process.env,
  }),
  /** Fills memory that V8's limits do not count, as native code does. */
  nativeMemory: () => {
    const hoard: Buffer[] = [];
    for (;;) hoard.push(Buffer.alloc(2 ** 22, 1));
  },
  kill: () => process.kill(process.pid, 'SIGSEGV'),
  complain: () => {
    writeSync(2, 'a library says why\n');
    process.exit(7);
  },
  /** Dies from the second task on that its process is given. */
  wearOut: () => {
    if (++count > 1) process.exit(1);
    return process.pid;
  },
  throwLater: async () => {
    queueMicrotask(() => {
      throw new Error('outside of the task');
    });
    await new Promise(() => undefined);
  },
});
