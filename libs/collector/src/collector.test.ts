import { afterEach, expect, it } from 'vitest';
import { Collector } from './collector.js';

let collector: Collector;
afterEach(() => collector.close());

it('keeps spans, points and logs as they are sent, and knows which spans lack their parent', async () => {
  collector = await Collector.open();
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'attacks' } }] };
  const span = { traceId: 'aa', kind: 5, attributes: [{ key: 'n', value: { intValue: '3' } }] };
  const spans = [
    { ...span, spanId: '01', name: 'process', status: { code: 2, message: 'poison' } },
    { ...span, spanId: '02', parentSpanId: '01', name: 'attack', links: [{ traceId: 'aa', spanId: '01' }] },
    { ...span, spanId: '03', parentSpanId: '99', name: 'lost' },
  ];
  const histogram = { dataPoints: [{ attributes: [], count: '2', sum: 0.5 }] };
  const log = { severityText: 'WARN', body: { stringValue: 'careful' }, traceId: 'aa' };
  const sent = {
    resourceSpans: [{ resource, scopeSpans: [{ spans }] }],
    resourceMetrics: [{ resource, scopeMetrics: [{ metrics: [{ name: 'm', unit: 's', histogram }] }] }],
    resourceLogs: [{ resource, scopeLogs: [{ logRecords: [log] }] }],
  };
  const { OTEL_EXPORTER_OTLP_ENDPOINT: url } = collector.environment;
  const { status } = await fetch(`${url}/v1/traces`, { method: 'POST', body: JSON.stringify(sent) });
  expect(status).toBe(200);
  expect(collector.spans[0]).toMatchObject({
    service: 'attacks',
    kind: 'consumer',
    parentSpanId: undefined,
    attributes: { n: 3 },
    failed: true,
    message: 'poison',
  });
  expect(collector.spans[1].links).toEqual([{ traceId: 'aa', spanId: '01', attributes: {} }]);
  expect(collector.orphans().map(({ name }) => name)).toEqual(['lost']);
  expect(collector.last('m')).toMatchObject({ unit: 's', count: 2, sum: 0.5 });
  expect(collector.last('m', { pool: 'gpu' })).toBeUndefined();
  expect(collector.logs).toEqual([
    { service: 'attacks', severity: 'WARN', body: 'careful', traceId: 'aa', attributes: {} },
  ]);
});
