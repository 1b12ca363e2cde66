import { spawnSync } from 'node:child_process';
import { getEventListeners } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { PoolClosed, WorkerCrashed } from './errors.js';
import { ThreadPool, type ThreadPoolOptions } from './thread-pool.js';

const url = new URL('../dist/testing/worker.js', import.meta.url);

let pools: ThreadPool[] = [];
afterEach(async () => {
  await Promise.all(pools.map((pool) => pool.close()));
  pools = [];
});

function open(options: Partial<ThreadPoolOptions> = {}): ThreadPool {
  const pool = new ThreadPool({ name: 'test', url, size: 1, ...options });
  pools.push(pool);
  return pool;
}

const caught = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

/** A task that runs until its gate is opened. */
function gated(pool: ThreadPool, worker?: number) {
  const gate = new Int32Array(new SharedArrayBuffer(4));
  let reached!: () => void;
  const running = new Promise<void>((resolve) => (reached = resolve));
  const result = pool.run<string>('gate', gate, { onProgress: reached, worker });
  return { running, result, open: () => Atomics.store(gate, 0, 1) };
}

/** Starts a task that runs until cancelled, and waits until it does. */
async function started(pool: ThreadPool, task: string) {
  const controller = new AbortController();
  let result!: Promise<unknown>;
  await new Promise<void>((resolve) => {
    const options = { signal: controller.signal, onProgress: () => resolve() };
    result = caught(pool.run(task, undefined, options));
  });
  return { controller, result };
}

describe('tasks', () => {
  it('run in the worker, which keeps its state', async () => {
    const pool = open({ workerData: { seed: 7 } });
    expect(await pool.run('echo', { a: [1, 'x'] })).toEqual({ a: [1, 'x'] });
    expect(await pool.run('data', undefined)).toEqual({ seed: 7 });
    expect(await pool.run('count', undefined)).toBe(1);
    expect(await pool.run('count', undefined)).toBe(2);
  });

  it('are timed as long as they run, and not after', async () => {
    const pool = open({ size: 2 });
    expect(pool.busyMs).toBe(0);
    const task = gated(pool);
    await task.running;
    const during = pool.busyMs;
    expect(during).toBeGreaterThan(0);
    task.open();
    await task.result;
    const after = pool.busyMs;
    expect(after).toBeGreaterThanOrEqual(during);
    expect(pool.busyMs).toBe(after);
  });

  it('resolve our packages to what is built, whoever started the process', async () => {
    expect(await open().run('resolve', undefined)).toMatch(/\/dist\/index\.js$/);
  });

  it('report progress in order, and move buffers both ways', async () => {
    const seen: unknown[] = [];
    const input = Float32Array.of(1, 2, 4);
    const result = await open().run<Float32Array>('sum', input, {
      onProgress: (value) => seen.push(value),
      transfer: [input.buffer],
    });
    expect(result).toEqual(Float32Array.of(7));
    expect(input.byteLength).toBe(0);
    expect(seen).toEqual([
      { done: 1, value: 1 },
      { done: 2, value: 2 },
      { done: 3, value: 4 },
    ]);
  });

  it('send no progress where nobody asked for it', async () => {
    const cannotBeSent = caught(open().run('reports', undefined, { onProgress: () => undefined }));
    expect(await cannotBeSent).toMatchObject({ name: 'DataCloneError' });
    expect(await open().run('reports', undefined)).toBe('done');
  });

  it('stop when the caller cannot take their progress', async () => {
    const pool = open();
    const onProgress = () => {
      throw new Error('cannot draw');
    };
    expect(await caught(pool.run('spin', undefined, { onProgress }))).toMatchObject({
      message: 'cannot draw',
    });
    expect(await pool.run('echo', 1)).toBe(1);
  });
});

describe('errors', () => {
  it('cross with name, message, stack, plain fields and causes', async () => {
    const error = await caught(open().run('fail', undefined));
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: 'ModelLikeError',
      message: 'node Conv_3: broken',
      fault: 'invalid',
      where: 'node Conv_3',
      cause: { name: 'TypeError', message: 'the deeper reason' },
    });
    expect(error).not.toHaveProperty('notCloneable');
    expect((error as Error).stack).toContain('worker');
    expect(String(error)).toBe('ModelLikeError: node Conv_3: broken');
  });

  it.each([
    ['failWithText', undefined, 'only text'],
    ['uncloneable', undefined, 'could not be cloned'],
    ['echo', () => 0, 'could not be cloned'],
    ['missing', undefined, 'there is no task "missing"'],
    ['constructor', undefined, 'there is no task "constructor"'],
  ])('of %s with %s leave the worker usable', async (task, input, message) => {
    const pool = open();
    await pool.run('count', undefined);
    expect(((await caught(pool.run(task, input))) as Error).message).toContain(message);
    expect(await pool.run('count', undefined)).toBe(2);
  });
});

describe('the queue', () => {
  it('gives each worker one task at a time, in order', async () => {
    const pool = open({ size: 2 });
    const [one, two] = [gated(pool), gated(pool)];
    await Promise.all([one.running, two.running]);
    const order: number[] = [];
    const later = [1, 2, 3].map((i) => pool.run('echo', i).then(() => order.push(i)));
    expect(order).toEqual([]);
    one.open();
    await one.result;
    await Promise.all(later);
    expect(order).toEqual([1, 2, 3]);
    two.open();
    expect(await two.result).toBe('through');
  });

  it('keeps a task for its worker, and lets others pass it', async () => {
    const pool = open({ size: 2 });
    const busy = gated(pool, 1);
    await busy.running;
    let bound = false;
    const mine = pool.run('count', undefined, { worker: 1 }).then((n) => {
      bound = true;
      return n;
    });
    expect(await pool.run('count', undefined)).toBe(1);
    expect(await pool.run('count', undefined)).toBe(2);
    expect(bound).toBe(false);
    busy.open();
    expect(await mine).toBe(1);
  });

  it.each([-1, 2, 0.5])('refuses the worker %d, which does not exist', async (worker) => {
    expect(await caught(open({ size: 2 }).run('echo', 1, { worker }))).toBeInstanceOf(RangeError);
  });

  it.each([0, 1.5, Number.NaN])('refuses a size of %d', (size) => {
    expect(() => new ThreadPool({ name: 'test', url, size })).toThrow(RangeError);
  });
});

describe('cancellation', () => {
  it.each(['spin', 'spinUntilThrown', 'wait'])('reaches %s, and the worker goes on', async (task) => {
    const pool = open();
    await pool.run('count', undefined);
    const { controller, result } = await started(pool, task);
    controller.abort(new Error('enough'));
    expect(await result).toMatchObject({ message: 'enough' });
    expect(await pool.run('count', undefined), 'the same worker').toBe(2);
  });

  it('takes a waiting task out of the queue', async () => {
    const pool = open();
    const busy = gated(pool);
    const controller = new AbortController();
    const waiting = caught(pool.run('count', undefined, { signal: controller.signal }));
    controller.abort(new Error('enough'));
    expect(await waiting).toMatchObject({ message: 'enough' });
    busy.open();
    expect(await pool.run('count', undefined), 'it never ran').toBe(1);
  });

  it('before the start runs nothing', async () => {
    const pool = open();
    expect(await caught(pool.run('count', undefined, { signal: AbortSignal.abort() }))).toMatchObject({
      name: 'AbortError',
    });
    expect(await pool.run('count', undefined)).toBe(1);
  });

  it('after the end changes nothing', async () => {
    const pool = open();
    const controller = new AbortController();
    expect(await pool.run('count', undefined, { signal: controller.signal })).toBe(1);
    const busy = gated(pool);
    controller.abort();
    busy.open();
    expect(await busy.result).toBe('through');
  });

  it('ends a worker that does not stop, and starts another', async () => {
    const pool = open({ stopGraceMs: 1 });
    await pool.run('count', undefined);
    const { controller, result } = await started(pool, 'deaf');
    controller.abort();
    expect(await result).toMatchObject({ name: 'AbortError' });
    expect(await pool.run('count', undefined), 'a new worker').toBe(1);
  });
});

describe('a worker that dies', () => {
  it.each([
    ['exit', 'code 3'],
    ['throwLater', 'outside of the task'],
    ['outOfMemory', 'memory'],
  ])('by %s rejects only its own task, and is replaced', async (task, reason) => {
    const pool = open({ size: 2, resourceLimits: { maxOldGenerationSizeMb: 32 } });
    const other = gated(pool);
    const error = await caught(pool.run(task, undefined));
    expect(error).toBeInstanceOf(WorkerCrashed);
    expect(error).toMatchObject({ pool: 'test', task });
    expect((error as Error).message).toContain(reason);
    expect(await pool.run('echo', 'again')).toBe('again');
    other.open();
    expect(await other.result).toBe('through');
  });

  it('at its start rejects the task with the reason', async () => {
    const pool = open({ url: new URL('../dist/no-such-worker.js', import.meta.url) });
    const error = await caught(pool.run('echo', 1));
    expect(error).toBeInstanceOf(WorkerCrashed);
    expect((error as Error).message).toContain('no-such-worker');
  });
});

describe('close', () => {
  it('rejects what runs, waits and comes later, any number of times', async () => {
    const pool = open({ stopGraceMs: 1 });
    const { result } = await started(pool, 'deaf');
    const waiting = caught(pool.run('echo', 1));
    await Promise.all([pool.close(), pool.close()]);
    await pool.close();
    expect(await result).toBeInstanceOf(PoolClosed);
    expect(await waiting).toBeInstanceOf(PoolClosed);
    expect(await caught(pool.run('echo', 1))).toBeInstanceOf(PoolClosed);
  });

  it('lets a running task stop by itself before its worker is ended', async () => {
    const stopped = new Int32Array(new SharedArrayBuffer(4));
    const pool = open();
    let reached!: () => void;
    const running = new Promise<void>((resolve) => (reached = resolve));
    const result = caught(pool.run('tidy', stopped, { onProgress: reached }));
    await running;
    await pool.close();
    expect(await result).toBeInstanceOf(PoolClosed);
    expect(Atomics.load(stopped, 0)).toBe(1);
  });

  it('is not needed for the process to end, while a running task keeps it alive', () => {
    const entry = new URL('../dist/index.js', import.meta.url).href;
    const script = `
      const { ThreadPool } = await import(${JSON.stringify(entry)});
      const pool = new ThreadPool({ name: 'test', url: new URL(process.argv[1]), size: 1 });
      const gate = new Int32Array(new SharedArrayBuffer(4));
      const options = { onProgress: () => Atomics.store(gate, 0, 1) };
      pool.run('gate', gate, options).then((result) => console.log(result));
    `;
    const args = ['--input-type=module', '-e', script, url.href];
    const child = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 50_000 });
    expect(child.stderr).toBe('');
    expect(child.stdout).toBe('through\n');
    expect(child.status).toBe(0);
  });
});

describe('many tasks under one signal', () => {
  it('listen once, and to the last one of them', async () => {
    const pool = open();
    const controller = new AbortController();
    const { signal } = controller;
    const before = getEventListeners(signal, 'abort').length;
    const first = gated(pool);
    await first.running;
    const waiting = Array.from({ length: 20 }, () => caught(pool.run('echo', 1, { signal })));
    expect(getEventListeners(signal, 'abort').length - before).toBe(1);
    const reason = new Error('enough');
    controller.abort(reason);
    expect(await Promise.all(waiting)).toEqual(waiting.map(() => reason));
    first.open();
    expect(await first.result).toBe('through');
  });

  it('leave the signal alone once all of them have ended', async () => {
    const pool = open();
    const { signal } = new AbortController();
    await Promise.all(Array.from({ length: 12 }, (_, i) => pool.run('echo', i, { signal })));
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    expect(await pool.run('echo', 'again', { signal })).toBe('again');
  });
});
