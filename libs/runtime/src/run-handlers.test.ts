import { InProcessBus, ManualClock, type Message, type StreamConfig } from '@facet/bus';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ABORT_GRACE_MS } from './attempt.js';
import { decodeDeadLetter, originalOf } from './dead-letter.js';
import { decodeEvent, derivedId, encodeEvent } from './envelope.js';
import { InputError, RetryableError } from './errors.js';
import {
  consumerOf,
  defineHandler,
  type GivenUp,
  type Handler,
  type HandlerContext,
  lastDelivery,
} from './handler.js';
import { type Log, type LogFields } from './log.js';
import { runHandlers, type RunHandlersOptions } from './run-handlers.js';

const Numbered = z.strictObject({ n: z.int() });
const REGISTRY = {
  asked: { stream: 'FACTS', schema: Numbered, subject: () => 'facts.asked' },
  answered: { stream: 'FACTS', schema: Numbered, subject: () => 'facts.answered' },
  failed: { stream: 'FACTS', schema: z.strictObject({ why: z.string() }), subject: () => 'facts.failed' },
  work: { stream: 'JOBS', schema: Numbered, subject: (pool = 'cpu') => `jobs.work.${pool}` },
};
type R = typeof REGISTRY;

const STREAMS: StreamConfig[] = [
  { name: 'FACTS', subjects: ['facts.>'], retention: 'limits', duplicateWindowMs: 60_000 },
  { name: 'JOBS', subjects: ['jobs.>'], retention: 'work-queue', duplicateWindowMs: 60_000 },
  { name: 'DLQ', subjects: ['facet.dlq.>'], retention: 'limits', duplicateWindowMs: 60_000 },
];

const LIMITS = {
  publishes: ['asked', 'answered', 'failed', 'work'],
  concurrency: 1,
  ackWaitMs: 3_000,
  attemptLimitMs: 20_000,
  maxDeliver: 3,
} as const;

function gate<T = void>() {
  let open!: (value: T) => void;
  const passed = new Promise<T>((resolve) => (open = resolve));
  return { open, passed };
}

let cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of cleanUp) await step();
  cleanUp = [];
});

function start(handlers: Handler<R>[], more: Partial<RunHandlersOptions<R>> = {}) {
  const clock = new ManualClock();
  const bus = new InProcessBus(STREAMS, { clock });
  const published: Message[] = [];
  const lines: { level: string; message: string; fields?: LogFields }[] = [];
  const line = (level: string) => (message: string, fields?: LogFields) =>
    lines.push({ level, message, fields });
  const log = Object.fromEntries(
    ['debug', 'info', 'warn', 'error'].map((l) => [l, line(l)]),
  ) as unknown as Log;
  const recording = {
    publish: (message: Message, options?: { signal?: AbortSignal }) => {
      published.push(message);
      return bus.publish(message, options);
    },
    consume: bus.consume.bind(bus),
    close: () => bus.close(),
  };
  const controller = new AbortController();
  const run = (over: Partial<RunHandlersOptions<R>> = {}) =>
    runHandlers<R>({
      bus: recording,
      registry: REGISTRY,
      handlers,
      log,
      clock,
      signal: controller.signal,
      random: () => 0,
      ...more,
      ...over,
    });
  const running = run();
  cleanUp.push(() => bus.close());
  const send = (n: number, pool?: string) =>
    bus.publish(
      encodeEvent(REGISTRY, {
        id: `in-${n}`,
        type: pool === undefined ? 'asked' : 'work',
        source: '/test',
        time: '2026-01-01T00:00:00Z',
        traceparent: '00-trace-span-01',
        data: { n },
        pool,
      }),
    );
  const events = () => published.filter(({ subject }) => !subject.startsWith('facet.dlq'));
  const letters = () =>
    published.filter(({ subject }) => subject.startsWith('facet.dlq')).map(decodeDeadLetter);
  /** Lets everything that is ready run. */
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  /** Moves the clock step by step, as the code under test sets timers on its way. */
  const elapse = async (ms: number) => {
    for (let gone = 0; gone < ms; gone += 500) {
      await settle();
      clock.advance(500);
    }
    await settle();
  };
  return {
    bus,
    clock,
    running,
    run,
    send,
    published,
    events,
    letters,
    lines,
    elapse,
    settle,
    controller,
    recording,
  };
}

/** A handler that takes `asked` and does what the test says, attempt by attempt. */
function asking(handle: Handler<R, 'asked'>['handle'], more: Partial<Handler<R, 'asked'>> = {}) {
  return defineHandler(REGISTRY, { ...LIMITS, name: 'asking', consumes: ['asked'], handle, ...more });
}

/** Runs until aborted, then ends. */
const untilAborted = ({ signal }: HandlerContext) =>
  new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error));
  });

describe('an event that is handled', () => {
  it('has its events published, with its trace and ids that depend on it alone, and is acknowledged', async () => {
    const seen: unknown[] = [];
    const test = start([
      asking(async (event, { attempt, signal }) => {
        seen.push({ ...event, attempt, aborted: signal.aborted });
        return [
          { type: 'answered', data: { n: event.data.n + 1 } },
          { type: 'work', data: { n: 7 }, pool: 'gpu', key: 'seven' },
        ];
      }),
    ]);
    await test.send(1);
    await test.bus.idle();
    expect(seen).toEqual([
      expect.objectContaining({ id: 'in-1', type: 'asked', data: { n: 1 }, attempt: 1, aborted: false }),
    ]);
    expect(test.events().map(({ id, subject }) => ({ id, subject }))).toEqual([
      { id: derivedId('asking', 'in-1', 'handled', 'answered', 0), subject: 'facts.answered' },
      { id: derivedId('asking', 'in-1', 'handled', 'work', 'seven'), subject: 'jobs.work.gpu' },
    ]);
    expect(decodeEvent(REGISTRY, test.events()[0])).toMatchObject({
      type: 'answered',
      source: '/facet/asking',
      data: { n: 2 },
      traceparent: '00-trace-span-01',
    });
    await test.elapse(10_000);
    expect(seen).toHaveLength(1);
    expect(test.letters()).toEqual([]);
  });

  it('sends the same again when its ack was lost, which the bus then drops', async () => {
    let publishing = 0;
    const handler = asking(async () => [{ type: 'answered', data: { n: 1 } }]);
    const test = start([], {});
    const flaky = {
      ...test.recording,
      publish: async (message: Message) => {
        const result = await test.recording.publish(message);
        if (++publishing === 1) throw new Error('the connection broke after the publish');
        expect(result).toEqual({ duplicate: true });
        return result;
      },
    };
    test.run({ handlers: [handler], bus: flaky });
    await test.send(1);
    await test.elapse(2_000);
    await test.bus.idle();
    const [first, second, ...more] = test.events();
    expect(second.id).toBe(first.id);
    expect(more).toEqual([]);
  });

  it('stays ours by heartbeats for as long as it takes', async () => {
    let calls = 0;
    const done = gate();
    const test = start([
      asking(async () => {
        calls++;
        await done.passed;
        return [];
      }),
    ]);
    await test.send(1);
    await test.elapse(19_000);
    expect(calls).toBe(1);
    done.open();
    await test.bus.idle();
    expect(calls).toBe(1);
  });

  it('shares the process with as many others as the handler allows', async () => {
    const gates = [gate(), gate(), gate()];
    const started: number[] = [];
    const handler = asking(
      async ({ data: { n } }) => {
        started.push(n);
        await gates[n].passed;
        return [];
      },
      { concurrency: 2 },
    );
    const test = start([handler]);
    for (const n of [0, 1, 2]) await test.send(n);
    await test.settle();
    expect(started).toEqual([0, 1]);
    gates[1].open();
    await test.settle();
    expect(started).toEqual([0, 1, 2]);
    gates.forEach(({ open }) => open());
    await test.bus.idle();
  });
});

describe('an event that fails', () => {
  it('is tried again, later each time, and succeeds', async () => {
    const at: number[] = [];
    const test = start([
      asking(async (_, { attempt }) => {
        at.push(test.clock.now());
        if (attempt < 3) throw new Error('passing trouble');
        return [];
      }),
    ]);
    await test.send(1);
    await test.elapse(6_000);
    await test.bus.idle();
    expect(at).toEqual([0, 1_000, 3_000]);
    expect(test.letters()).toEqual([]);
  });

  it('is tried again when the error says so, though no later than the longest wait', async () => {
    const at: number[] = [];
    const test = start(
      [
        asking(async (_, { attempt }) => {
          at.push(test.clock.now());
          if (attempt === 1) throw new RetryableError('busy', { retryAfterMs: 4_000 });
          if (attempt === 2) throw Object.assign(new Error('from a thread'), { retryAfterMs: 1e9 });
          return [];
        }),
      ],
      { backoff: { firstMs: 1_000, longestMs: 10_000 } },
    );
    await test.send(1);
    await test.elapse(15_000);
    await test.bus.idle();
    expect(at).toEqual([0, 4_000, 14_000]);
  });

  it('ends as a dead letter after its last attempt, with the causes and the original', async () => {
    let calls = 0;
    const reasons: GivenUp[] = [];
    const test = start([
      asking(
        async () => {
          calls++;
          throw new Error('out of luck', { cause: new TypeError('the deeper reason') });
        },
        {
          onGivenUp: (event, reason) => {
            reasons.push(reason);
            return [{ type: 'failed', data: { why: `${event.data.n}: ${reason.message}` } }];
          },
        },
      ),
    ]);
    await test.send(1);
    await test.elapse(10_000);
    await test.bus.idle();
    expect(calls).toBe(3);
    const [letter] = test.letters();
    expect(test.letters()).toHaveLength(1);
    expect(letter).toMatchObject({
      handler: 'asking',
      reason: 'exhausted',
      attempts: 3,
      errors: [{ message: 'out of luck' }, { name: 'TypeError', message: 'the deeper reason' }],
      original: { id: 'in-1', subject: 'facts.asked' },
    });
    const again = originalOf(letter, 'first')!;
    expect(again.id).not.toBe('in-1');
    expect(decodeEvent(REGISTRY, again)).toMatchObject({ id: 'in-1', data: { n: 1 } });
    expect(reasons).toEqual([
      { reason: 'exhausted', attempts: 3, message: 'out of luck <- TypeError: the deeper reason' },
    ]);
    const [failed] = test.events();
    expect(decodeEvent(REGISTRY, failed).data).toEqual({
      why: '1: out of luck <- TypeError: the deeper reason',
    });
    expect(test.published.indexOf(failed), 'after the dead letter').toBe(1);
  });

  it.each([
    ['an InputError', new InputError('must be square', { field: 'size' })],
    ['an error of a lower library', Object.assign(new Error('no such node'), { name: 'ModelError' })],
    ['an error from a worker thread', Object.assign(new Error('no such key'), { terminal: true })],
  ])('is given up at once by %s', async (_, error) => {
    let calls = 0;
    const test = start([
      asking(async () => {
        calls++;
        throw error;
      }),
    ]);
    await test.send(1);
    await test.elapse(10_000);
    await test.bus.idle();
    expect(calls).toBe(1);
    expect(test.letters()).toMatchObject([
      { reason: 'terminal', attempts: 1, errors: [{ name: error.name }] },
    ]);
  });

  it('is given up at once where its answer breaks the schema, and says where', async () => {
    const test = start([asking(async () => [{ type: 'answered', data: { n: 0.5 } }])]);
    await test.send(1);
    await test.bus.idle();
    const [letter] = test.letters();
    expect(letter.reason).toBe('terminal');
    expect(letter.errors[0].message).toMatch(/event answered cannot be sent.*at n/s);
  });

  it('is given up although the handler hangs and ignores its signal', async () => {
    const test = start([asking(() => new Promise(() => undefined), { maxDeliver: 2 })]);
    await test.send(1);
    await test.elapse(2 * (20_000 + ABORT_GRACE_MS) + 5_000);
    await test.bus.idle();
    expect(test.letters()).toMatchObject([
      { reason: 'exhausted', attempts: 2, errors: [{ name: 'TimeLimitError' }] },
    ]);
    await test.running.stop();
  });

  it('has its signal aborted at the limit, and may stop cleanly', async () => {
    const test = start([asking((_, context) => untilAborted(context), { maxDeliver: 1 })]);
    await test.send(1);
    await test.elapse(19_500);
    expect(test.letters()).toEqual([]);
    await test.elapse(500);
    expect(test.letters()).toMatchObject([
      { errors: [{ name: 'TimeLimitError', fields: { limitMs: 20_000 } }] },
    ]);
  });

  it('is what its handler never declared to publish', async () => {
    const test = start([
      asking(async ({ data }) => [{ type: 'answered', data }], { publishes: [], maxDeliver: 1 }),
    ]);
    await test.send(1);
    await test.bus.idle();
    expect(test.events()).toEqual([]);
    expect(test.letters()).toMatchObject([{ reason: 'terminal' }]);
    expect(test.letters()[0].errors[0].message).toContain('does not declare that it publishes answered');
  });

  it('is still settled where onGivenUp fails', async () => {
    const test = start([
      asking(async () => Promise.reject(new InputError('wrong')), {
        onGivenUp: () => {
          throw new Error('a bug');
        },
      }),
    ]);
    await test.send(1);
    await test.bus.idle();
    expect(test.letters()).toHaveLength(1);
    expect(test.lines.filter(({ level }) => level === 'error').map(({ message }) => message)).toContain(
      'nobody hears that it was given up: onGivenUp failed',
    );
  });

  it('is not lost while the dead letters cannot be published', async () => {
    let refusals = 3;
    const test = start([]);
    const broken = {
      ...test.recording,
      publish: async (message: Message, options?: { signal?: AbortSignal }) => {
        if (refusals-- > 0) throw new Error('no connection');
        return test.recording.publish(message, options);
      },
    };
    test.run({ handlers: [asking(async () => Promise.reject(new InputError('wrong')))], bus: broken });
    await test.send(1);
    await test.elapse(10_000);
    await test.bus.idle();
    expect(test.letters()).toHaveLength(1);
  });
});

describe('a message that no handler can read', () => {
  it.each<[string, Partial<Message>, string]>([
    ['is not JSON', { data: new TextEncoder().encode('{') }, 'data: is not JSON'],
    ['breaks its schema', { data: new TextEncoder().encode('{"n":"one"}') }, 'data.n'],
    ['is no CloudEvent', { headers: {} }, 'ce-specversion: is missing'],
  ])('becomes a dead letter at once: it %s', async (_, more, reason) => {
    let calls = 0;
    const test = start([
      asking(async () => {
        calls++;
        return [];
      }),
    ]);
    const good = encodeEvent(REGISTRY, { id: 'm', type: 'asked', source: '/t', time: 'now', data: { n: 1 } });
    await test.bus.publish({ ...good, ...more });
    await test.bus.idle();
    expect(calls).toBe(0);
    const [letter] = test.letters();
    expect(letter).toMatchObject({ reason: 'invalid', attempts: 1 });
    expect(letter.errors[0].message).toContain(reason);
    const bytes = { ...good, ...more }.data;
    expect(new Uint8Array(originalOf(letter, '1')!.data)).toEqual(bytes);
  });
});

describe('a job', () => {
  const job = (handle: Handler<R, 'work'>['handle']) =>
    defineHandler(REGISTRY, { ...LIMITS, name: 'attacks', consumes: ['work'], pool: 'gpu', handle });

  it('goes to its pool', async () => {
    const seen: number[] = [];
    const test = start([
      job(async ({ data }) => {
        seen.push(data.n);
        return [];
      }),
    ]);
    await test.send(1, 'cpu');
    await test.send(2, 'gpu');
    await test.bus.idle();
    expect(seen).toEqual([2]);
    expect(
      consumerOf(
        REGISTRY,
        job(async () => []),
      ),
    ).toMatchObject({ name: 'attacks-gpu', stream: 'JOBS' });
  });

  it('whose every worker is killed ends as a dead letter, and is not run once more', async () => {
    let calls = 0;
    const handler = job(async () => {
      calls++;
      return [];
    });
    const test = start([]);
    await test.send(1, 'gpu');
    const consumer = consumerOf(REGISTRY, handler);
    // A process that dies leaves its delivery to the ack wait: nothing else tells the bus.
    for await (const delivery of test.bus.consume(consumer, test.controller.signal)) {
      test.clock.advance(consumer.ackWaitMs);
      if (delivery.attempt === lastDelivery(handler) - 1) break;
    }
    test.run({ handlers: [handler] });
    await test.bus.idle();
    expect(calls).toBe(0);
    expect(test.letters()).toMatchObject([{ reason: 'died', handler: 'attacks' }]);
  });
});

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

describe('many events at a time', () => {
  it('are no leak of listeners to Node', async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on('warning', onWarning);
    const { open, passed } = gate();
    const test = start([asking(() => passed.then(() => []), { concurrency: 16 })]);
    for (let n = 0; n < 16; n++) await test.send(n);
    await test.settle();
    open();
    await test.bus.idle();
    await test.settle();
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
  });
});
