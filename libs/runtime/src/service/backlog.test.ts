import { Collector } from '@facet/collector';
import { startTelemetry } from '@facet/telemetry';
import { afterEach, expect, it, vi } from 'vitest';
import { NO_LOG } from '../log.js';
import { watchBacklog } from './backlog.js';

const consumer = { stream: 'JOBS', subjects: ['jobs.x'], ackWaitMs: 1, maxDeliver: 1, maxAckPending: 1 };
const consumers = ['first', 'second'].map((name) => ({ ...consumer, name }));

afterEach(() => vi.unstubAllEnvs());

it('tells what lies before each consumer, where there is telemetry', async () => {
  const collector = await Collector.open();
  for (const [name, value] of Object.entries(collector.environment)) vi.stubEnv(name, value);
  const telemetry = await startTelemetry({ service: 'test', version: '0', log: NO_LOG });
  const backlog = vi.fn(() => Promise.resolve({ waiting: 3, unsettled: 1 }));
  const stop = watchBacklog({ bus: { backlog }, consumers, log: NO_LOG });
  await vi.waitUntil(() => backlog.mock.calls.length === 2);
  await backlog.mock.results[1].value;
  stop();
  await telemetry.close();
  await collector.close();
  for (const { name } of consumers) {
    expect(collector.last('facet.queue.messages', { consumer: name, state: 'waiting' })?.value).toBe(3);
    expect(collector.last('facet.queue.messages', { consumer: name, state: 'unsettled' })?.value).toBe(1);
  }
});

it('asks nobody where there is none', () => {
  const backlog = vi.fn(() => Promise.reject(new Error('asked')));
  watchBacklog({ bus: { backlog }, consumers, log: NO_LOG })();
  expect(backlog).not.toHaveBeenCalled();
});
