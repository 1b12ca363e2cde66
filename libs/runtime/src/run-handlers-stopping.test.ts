/** Events that came again and again, and the end of a process. */
import { describe, expect, it } from 'vitest';
import { RetryableError } from './errors.js';
import { defineHandler } from './handler.js';
import { asking, gate, LIMITS, REGISTRY, start } from './run-handlers.fixture.js';

describe('an event that came again and again', () => {
  it('is worked on alone, at no cost for others of its kind', async () => {
    const running = new Set<number>();
    const beside: number[] = [];
    const attempts: number[] = [];
    const test = start([
      asking(
        async ({ data }, { attempt }) => {
          running.add(data.n);
          if (attempt >= 3) beside.push(running.size);
          attempts.push(attempt);
          await new Promise((resolve) => setImmediate(resolve));
          running.delete(data.n);
          if (attempt < 3) throw new Error('once more');
          return [];
        },
        { concurrency: 4, maxDeliver: 5 },
      ),
    ]);
    for (let n = 0; n < 4; n++) await test.send(n);
    await test.elapse(60_000);
    await test.bus.idle();
    expect(beside).toEqual([1, 1, 1, 1]);
    expect(attempts.toSorted()).toEqual([1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]);
    expect(test.letters()).toEqual([]);
  });

  it('stays ours while others are finished, and nothing else is taken', async () => {
    const other = gate();
    const begun: [n: number, attempt: number][] = [];
    const test = start([
      asking(
        async ({ data: { n } }, { attempt }) => {
          begun.push([n, attempt]);
          if (n === 0) await other.passed;
          if (n === 1 && attempt < 3) throw new RetryableError('busy', { retryAfterMs: 500 });
          return [];
        },
        { concurrency: 3, attemptLimitMs: 60_000 },
      ),
    ]);
    await test.send(0);
    await test.send(1);
    await test.elapse(3_000);
    await test.send(2);
    await test.elapse(9_000);
    expect(begun).toEqual([
      [0, 1],
      [1, 1],
      [1, 2],
    ]);
    other.open();
    await test.bus.idle();
    expect(begun.slice(3)).toEqual([
      [1, 3],
      [2, 1],
    ]);
  });

  it('is handed back where the process ends before the others do', async () => {
    const attempts: number[] = [];
    const test = start([
      asking(
        async ({ data: { n } }, { attempt }) => {
          if (n === 0) return attempt > 1 ? [] : new Promise(() => undefined);
          attempts.push(attempt);
          if (attempt < 3) throw new RetryableError('busy', { retryAfterMs: 500 });
          return [];
        },
        { concurrency: 2, attemptLimitMs: 60_000 },
      ),
    ]);
    await test.send(0);
    await test.send(1);
    await test.elapse(3_000);
    test.controller.abort();
    await test.elapse(25_000);
    await test.running.drained;
    expect(attempts).toEqual([1, 2]);
    test.run({ signal: new AbortController().signal });
    await test.bus.idle();
    expect(attempts).toEqual([1, 2, 4]);
    expect(test.letters()).toEqual([]);
  });
});

describe('stopping', () => {
  it('takes nothing new and lets what runs finish', async () => {
    const done = gate();
    const seen: number[] = [];
    const test = start([
      asking(async ({ data }) => {
        seen.push(data.n);
        await done.passed;
        return [{ type: 'answered', data }];
      }),
    ]);
    await test.send(1);
    await test.send(2);
    await test.settle();
    const stopped = test.running.stop();
    done.open();
    await Promise.all([stopped, test.running.drained, test.running.stop()]);
    expect(seen).toEqual([1]);
    expect(test.events()).toHaveLength(1);
    test.run();
    await test.bus.idle();
    expect(seen).toEqual([1, 2]);
  });

  it('hands back at the deadline what still runs, for another process to take at once', async () => {
    const attempts: number[] = [];
    let reason: unknown;
    const test = start([
      asking(
        async (_, { attempt, signal }) => {
          attempts.push(attempt);
          signal.addEventListener('abort', () => (reason = signal.reason));
          if (attempt > 1) return [];
          return new Promise(() => undefined);
        },
        { attemptLimitMs: 60_000 },
      ),
    ]);
    await test.send(1);
    await test.settle();
    test.controller.abort();
    await test.elapse(25_000);
    await test.running.drained;
    expect(reason).toMatchObject({ message: 'the process ends' });
    expect(test.letters()).toEqual([]);
    test.run({ signal: new AbortController().signal });
    await test.bus.idle();
    expect(attempts).toEqual([1, 2]);
  });

  it('before the start runs nothing', async () => {
    const test = start([asking(async () => [])], { signal: AbortSignal.abort() });
    await test.running.drained;
    await test.send(1);
    await test.settle();
    expect(test.lines).toEqual([]);
  });

  it('comes from the bus where it refuses a consumer, also for the other handlers', async () => {
    const test = start([
      asking(async () => []),
      defineHandler(REGISTRY, { ...LIMITS, name: 'no.name', consumes: ['asked'], handle: async () => [] }),
    ]);
    await expect(test.running.drained).rejects.toThrow('"no.name" is no name for a consumer');
    await expect(test.running.stop()).rejects.toThrow('no.name');
    expect(test.running.trouble()).toContain('no messages are taken any more');
  });
});

describe('trouble that only a restart can help', () => {
  it('is an event that has neither ended nor been let go long after its limit, and no other', async () => {
    const test = start([
      asking(async ({ data }) => [{ type: 'answered', data }], { attemptLimitMs: 60_000 }),
    ]);
    const hanging = gate();
    const { publish } = test.recording;
    test.recording.publish = async (...args) => {
      await hanging.passed;
      return publish(...args);
    };
    await test.send(1);
    await test.elapse(60_000 + 10 * 60_000);
    expect(test.running.trouble()).toBeUndefined();
    await test.elapse(1_000);
    expect(test.running.trouble()).toContain('handler asking has neither finished nor let go');
    hanging.open();
    await test.bus.idle();
    await test.settle();
    expect(test.running.trouble()).toBeUndefined();
  });
});
