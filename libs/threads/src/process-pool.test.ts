import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { PoolClosed, WorkerCrashed } from './errors.js';
import { ProcessPool, type ProcessPoolOptions } from './process-pool.js';

const url = new URL('../dist/testing/worker.js', import.meta.url);
const MIB = 2 ** 20;

let pools: ProcessPool[] = [];
afterEach(async () => {
  await Promise.all(pools.map((pool) => pool.close()));
  pools = [];
});

function open(options: Partial<ProcessPoolOptions> = {}): ProcessPool {
  const limits = { memoryBytes: 512 * MIB, silenceMs: 50_000 };
  const pool = new ProcessPool({ name: 'test', url, size: 1, ...limits, ...options });
  pools.push(pool);
  return pool;
}

const caught = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

interface World {
  readonly pid: number;
  readonly folder: string;
  readonly files: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

async function crash(pool: ProcessPool, task: string): Promise<WorkerCrashed> {
  const error = await caught(pool.run(task, undefined));
  expect(error).toBeInstanceOf(WorkerCrashed);
  return error as WorkerCrashed;
}

describe('a task in a process', () => {
  it('runs as one in a thread does, with progress, typed arrays and errors', async () => {
    const pool = open();
    const seen: unknown[] = [];
    const shared = new Float32Array(new SharedArrayBuffer(8));
    shared.set([1, 2]);
    const onProgress = (value: unknown) => seen.push(value);
    expect(await pool.run('sum', shared, { onProgress })).toEqual(Float32Array.of(3));
    expect(seen).toEqual([
      { done: 1, value: 1 },
      { done: 2, value: 2 },
    ]);
    expect(await caught(pool.run('fail', undefined))).toMatchObject({
      name: 'ModelLikeError',
      where: 'node Conv_3',
      cause: { message: 'the deeper reason' },
    });
    expect(((await caught(pool.run('uncloneable', undefined))) as Error).message).toContain('clone');
    expect(await pool.run('count', undefined)).toBe(1);
  });

  it('sees an empty folder of its own and only the environment that it is given', async () => {
    const pool = open({ environment: { FACET_TEST: 'yes' } });
    const world = await pool.run<World>('world', undefined);
    expect(world.pid).not.toBe(process.pid);
    expect(world.files).toEqual([]);
    expect(world.folder).not.toBe(process.cwd());
    expect(world.environment).toMatchObject({ FACET_TEST: 'yes' });
    expect(world.environment).not.toHaveProperty('PATH');
    await pool.close();
    expect(existsSync(world.folder)).toBe(false);
  });
});

describe('a process that dies', () => {
  it.each([
    ['exit', 'it ended with code 3'],
    ['kill', 'it was ended by SIGSEGV'],
    ['complain', 'it ended with code 7: a library says why'],
    ['outOfMemory', 'it '],
  ])('by %s says how, and the next task has a new one', async (task, reason) => {
    const pool = open();
    expect((await crash(pool, task)).reason).toContain(reason);
    expect(await pool.run('echo', 'again')).toBe('again');
  });

  it('takes more native memory than it may', async () => {
    const error = await crash(open({ memoryBytes: 256 * MIB }), 'nativeMemory');
    expect(error.reason).toBe('it needed more memory than its limit, 256 MiB');
  });

  it('hangs', async () => {
    const pool = open({ silenceMs: 300 });
    expect((await crash(pool, 'deaf')).reason).toBe('it gave no sign of life for 0.3 s');
  });

  it('by what an earlier task left behind does not refuse the later one', async () => {
    const pool = open();
    const first = await pool.run('wearOut', undefined);
    const second = await pool.run('wearOut', undefined);
    expect(second).not.toBe(first);
    // A task that kills a new process too is to blame.
    expect((await crash(pool, 'exit')).reason).toContain('code 3');
  });
});

describe('cancelling', () => {
  it('kills the process at once', async () => {
    const pool = open();
    const controller = new AbortController();
    const onProgress = () => controller.abort(new Error('enough'));
    const options = { signal: controller.signal, onProgress };
    expect(await caught(pool.run('deaf', undefined, options))).toMatchObject({ message: 'enough' });
    expect(await pool.run('count', undefined), 'a new process').toBe(1);
  });

  it('by closing rejects what runs and waits', async () => {
    const pool = open();
    let reached!: () => void;
    const running = new Promise<void>((resolve) => (reached = resolve));
    const result = caught(pool.run('deaf', undefined, { onProgress: reached }));
    const waiting = caught(pool.run('echo', 1));
    await running;
    await pool.close();
    expect(await result).toBeInstanceOf(PoolClosed);
    expect(await waiting).toBeInstanceOf(PoolClosed);
  });
});

const lives = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('a process whose parent was killed', () => {
  it('ends, even in the middle of native code', async () => {
    const entry = new URL('../dist/index.js', import.meta.url).href;
    const script = `
      const { ProcessPool } = await import(${JSON.stringify(entry)});
      const limits = { memoryBytes: 2 ** 29, silenceMs: 50_000 };
      const pool = new ProcessPool({ name: 'test', url: new URL(process.argv[1]), size: 1, ...limits });
      console.log((await pool.run('world')).pid);
      await pool.run('deaf');
    `;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script, url.href]);
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    expect(lives(pid)).toBe(true);
    parent.kill('SIGKILL');
    await vi.waitUntil(() => !lives(pid), { timeout: 30_000 });
  });
});
