import { Collector } from '@facet/collector';
import { startTelemetry } from '@facet/telemetry';
import { afterEach, expect, it, vi } from 'vitest';
import { watchUse } from './use.js';

afterEach(() => vi.unstubAllEnvs());

it('tells how long workers were busy, each millisecond once', async () => {
  const collector = await Collector.open();
  for (const [name, value] of Object.entries(collector.environment)) vi.stubEnv(name, value);
  const telemetry = await startTelemetry({ service: 's', version: '1', log: { warn: () => undefined } });
  const pool = { size: 4, busyMs: 1_000 };
  const stop = watchUse('cuda', pool);
  pool.busyMs = 3_500;
  stop();
  await telemetry.close();
  await collector.close();
  expect(collector.last('facet.compute.workers', { device: 'cuda' })?.value).toBe(4);
  expect(collector.last('facet.compute.busy', { device: 'cuda' })?.value).toBe(3.5);
});

it('asks nobody where nothing is sent', () => {
  const pool = {
    size: 1,
    get busyMs(): number {
      throw new Error('asked');
    },
  };
  expect(watchUse('cpu', pool)).not.toThrow();
});
