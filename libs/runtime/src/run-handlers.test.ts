/** What handlers do with events and jobs that go well. */
import { type Message } from '@facet/bus';
import { describe, expect, it } from 'vitest';
import { decodeEvent, derivedId } from './envelope.js';
import { consumerOf, defineHandler, type Handler, lastDelivery } from './handler.js';
import { asking, gate, LIMITS, type R, REGISTRY, start } from './run-handlers.fixture.js';

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
