/** What becomes of events that fail, and of messages that nobody can read. */
import { type Message } from '@facet/bus';
import { describe, expect, it } from 'vitest';
import { ABORT_GRACE_MS } from './attempt.js';
import { originalOf } from './dead-letter.js';
import { decodeEvent, encodeEvent } from './envelope.js';
import { InputError, RetryableError } from './errors.js';
import { type GivenUp } from './handler.js';
import { asking, REGISTRY, start, untilAborted } from './run-handlers.fixture.js';

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
