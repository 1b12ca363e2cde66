/** What the handler loop tells telemetry: one trace over messages and attempts, and logs that name it. */
import { InProcessBus } from '@facet/bus';
import { type CollectedSpan, Collector } from '@facet/collector';
import { startTelemetry } from '@facet/telemetry';
import { afterEach, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { encodeEvent } from './envelope.js';
import { TerminalError } from './errors.js';
import { defineHandler } from './handler.js';
import { createLog } from './log.js';
import { runHandlers } from './run-handlers.js';

const Numbered = z.strictObject({ n: z.int() });
const REGISTRY = {
  asked: { stream: 'FACTS', schema: Numbered, subject: () => 'facts.asked' },
  answered: { stream: 'FACTS', schema: Numbered, subject: () => 'facts.answered' },
};
const STREAMS = ['FACTS facts.>', 'DLQ facet.dlq.>'].map((line) => {
  const [name, subject] = line.split(' ');
  return { name, subjects: [subject], retention: 'limits', duplicateWindowMs: 60_000 } as const;
});
const LIMITS = {
  publishes: ['answered'],
  concurrency: 1,
  ackWaitMs: 30_000,
  attemptLimitMs: 30_000,
  maxDeliver: 3,
} as const;
const NAMES = [
  'process facts.asked',
  'send facts.answered',
  'process facts.answered',
  'send facet.dlq.refusing',
];
const TRACE = '0af7651916cd43dd8448eb211c80319c';

afterEach(() => vi.unstubAllEnvs());

it('a retry, an answer and a dead letter stay in the trace of who asked', async () => {
  const collector = await Collector.open();
  for (const [name, value] of Object.entries(collector.environment)) vi.stubEnv(name, value);
  const lines: string[] = [];
  const log = createLog({ level: 'warn', format: 'json', write: (line) => lines.push(line) });
  const telemetry = await startTelemetry({ service: 'test', version: '0', log });
  const bus = new InProcessBus(STREAMS);
  const asking = defineHandler(REGISTRY, {
    ...LIMITS,
    name: 'asking',
    consumes: ['asked'],
    async handle({ data }, { attempt }) {
      if (attempt === 1) throw new Error('busy');
      return [{ type: 'answered', data }];
    },
  });
  const refusing = defineHandler(REGISTRY, {
    ...LIMITS,
    name: 'refusing',
    consumes: ['answered'],
    handle: () => Promise.reject(new TerminalError('never')),
  });
  const running = runHandlers({
    bus,
    registry: REGISTRY,
    handlers: [asking, refusing],
    log,
    backoff: { firstMs: 1, longestMs: 1 },
    signal: new AbortController().signal,
  });
  const event = {
    id: 'q',
    type: 'asked',
    source: '/test',
    time: '2026-01-01T00:00:00Z',
    data: { n: 1 },
  } as const;
  await bus.publish(encodeEvent(REGISTRY, { ...event, traceparent: `00-${TRACE}-b7ad6b7169203331-01` }));
  await vi.waitUntil(() => lines.some((line) => line.includes('given up')));
  await running.stop();
  await telemetry.close();
  await bus.close();
  await collector.close();

  // They end side by side, and come in any order.
  const order = (span: CollectedSpan) =>
    `${NAMES.indexOf(span.name)} ${String(span.attributes['facet.attempt'])}`;
  const spans = collector.spans.toSorted((a, b) => order(a).localeCompare(order(b)));
  const told = spans.map(({ name, failed, attributes, links }) => {
    const { 'facet.attempt': attempt, 'facet.outcome': outcome } = attributes;
    return { name, failed, attempt, outcome, links: links.length };
  });
  const sent = { failed: false, attempt: undefined, outcome: undefined, links: 0 };
  expect(told).toEqual([
    { name: 'process facts.asked', failed: true, attempt: 1, outcome: 'again', links: 0 },
    { name: 'process facts.asked', failed: false, attempt: 2, outcome: 'done', links: 1 },
    { ...sent, name: 'send facts.answered' },
    { name: 'process facts.answered', failed: true, attempt: 1, outcome: 'given-up', links: 0 },
    { ...sent, name: 'send facet.dlq.refusing' },
  ]);
  expect(new Set(collector.spans.map(({ traceId }) => traceId))).toEqual(new Set([TRACE]));
  expect(collector.last('facet.dead_letters', { handler: 'refusing', reason: 'terminal' })?.value).toBe(1);

  const warned = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(warned).toMatchObject([
    { message: 'failed, and will be tried again', trace_id: TRACE, span_id: spans[0].spanId },
    { message: 'given up', trace_id: TRACE, span_id: spans[3].spanId },
  ]);
  expect(collector.logs).toMatchObject([
    { severity: 'WARN', traceId: TRACE, attributes: { handler: 'asking', attempt: 1, error: 'busy' } },
    { severity: 'ERROR', traceId: TRACE, attributes: { handler: 'refusing', reason: 'terminal' } },
  ]);
});
