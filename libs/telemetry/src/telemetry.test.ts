import { type Message } from '@facet/bus';
import { Collector } from '@facet/collector';
import { StoreError } from '@facet/store';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  exportLog,
  inSpan,
  processing,
  record,
  type RunningTelemetry,
  sending,
  serving,
  startTelemetry,
  traceFields,
} from './index.js';
import { observedStore } from './observed.js';
import { signalsOf } from './start.js';

let collector: Collector;
let running: RunningTelemetry;
const warnings: unknown[][] = [];
const OPTIONS = {
  service: 'attacks',
  version: '1.2.3',
  log: { warn: (...all: unknown[]) => warnings.push(all) },
};

beforeEach(async () => {
  warnings.length = 0;
  collector = await Collector.open();
});
afterEach(async () => {
  await running.close();
  await collector.close();
  vi.unstubAllEnvs();
});

async function start(environment: Record<string, string> = collector.environment) {
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  running = await startTelemetry(OPTIONS);
}

const MESSAGE: Message = {
  id: 'm1',
  subject: 'facet.jobs.attacks.cpu',
  headers: { 'ce-type': 'attacks', 'ce-subject': 'eval-1' },
  data: new Uint8Array(3),
};

/** Sends the message; gives what a receiver sees. */
async function sent(message: Message = MESSAGE): Promise<Message> {
  let seen = message;
  await sending(message, (outgoing) => {
    seen = outgoing;
    return Promise.resolve();
  });
  return seen;
}

describe('a message', () => {
  it('carries its sender to its receiver, in one trace; what the receiver sends goes on in it', async () => {
    await start();
    const first = await inSpan('request', {}, () => sent());
    expect(first.headers['traceparent']).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    let second: Message | undefined;
    await processing({ message: first, attempt: 1, handler: 'attacks', pool: 'cpu' }, async (ended) => {
      await inSpan('attack', { 'facet.shard': 7 }, () => Promise.resolve());
      second = await sent({
        ...MESSAGE,
        id: 'm2',
        subject: 'facet.events.attack.completed.v1',
        headers: first.headers,
      });
      ended({ outcome: 'done' });
    });
    await processing({ message: second ?? first, attempt: 1, handler: 'join' }, (ended) =>
      Promise.resolve(ended({ outcome: 'done' })),
    );
    await running.close();
    const named = new Map(collector.spans.map((span) => [span.name, span]));
    const parent = (name: string) =>
      collector.spans.find(({ spanId }) => spanId === named.get(name)?.parentSpanId)?.name;
    expect(new Set(collector.spans.map(({ traceId }) => traceId)).size).toBe(1);
    expect(parent('request')).toBeUndefined();
    expect(parent('send facet.jobs.attacks.cpu')).toBe('request');
    expect(parent('process facet.jobs.attacks.cpu')).toBe('send facet.jobs.attacks.cpu');
    expect(parent('attack')).toBe('process facet.jobs.attacks.cpu');
    expect(parent('send facet.events.attack.completed.v1')).toBe('process facet.jobs.attacks.cpu');
    expect(parent('process facet.events.attack.completed.v1')).toBe('send facet.events.attack.completed.v1');
    expect(named.get('send facet.jobs.attacks.cpu')).toMatchObject({
      kind: 'producer',
      service: 'attacks',
      attributes: { 'messaging.message.id': 'm1', 'cloudevents.event_subject': 'eval-1' },
    });
    expect(named.get('process facet.jobs.attacks.cpu')).toMatchObject({
      kind: 'consumer',
      links: [],
      failed: false,
      attributes: {
        'messaging.consumer.group.name': 'attacks',
        'facet.attempt': 1,
        'facet.pool': 'cpu',
        'facet.outcome': 'done',
      },
    });
    expect(named.get('attack')?.attributes).toEqual({ 'facet.shard': 7 });
    expect(warnings).toEqual([]);
    expect(collector.resources.get('attacks')).toMatchObject({
      'service.namespace': 'facet',
      'service.version': '1.2.3',
      'telemetry.sdk.language': 'nodejs',
    });
  });

  it('that comes again is linked to its sender, in the same trace, with the number of the attempt', async () => {
    await start();
    const message = await sent();
    const attempt = (number: number, outcome: string, error?: Error) =>
      processing({ message, attempt: number, handler: 'attacks', pool: 'gpu' }, (ended) =>
        Promise.resolve(ended({ outcome, error, ...(outcome === 'given-up' && { reason: 'exhausted' }) })),
      );
    await attempt(1, 'again', new Error('busy'));
    await attempt(2, 'given-up', new Error('still busy'));
    await running.close();
    const [send, first, second] = collector.spans;
    expect(first).toMatchObject({ parentSpanId: send.spanId, links: [], failed: true, message: 'busy' });
    const { traceId, spanId } = send;
    expect(second).toMatchObject({
      traceId,
      parentSpanId: spanId,
      links: [{ traceId, spanId, attributes: { 'facet.attempt': 2 } }],
      attributes: { 'facet.attempt': 2, 'facet.outcome': 'given-up', 'facet.given_up': 'exhausted' },
    });
    const series = { handler: 'attacks', pool: 'gpu' };
    expect(collector.last('facet.job.duration', { ...series, outcome: 'again' })).toMatchObject({ count: 1 });
    expect(collector.last('facet.job.attempts', { ...series, outcome: 'given-up' })).toMatchObject({
      sum: 2,
    });
    expect(collector.last('facet.job.attempts', { outcome: 'again' })).toBeUndefined();
    expect(collector.last('facet.dead_letters', { handler: 'attacks', reason: 'exhausted' })?.value).toBe(1);
  });

  it('from a sender without telemetry begins a trace of its own', async () => {
    await start();
    await processing({ message: MESSAGE, attempt: 2, handler: 'attacks' }, () => Promise.resolve());
    await running.close();
    expect(collector.spans).toMatchObject([
      { parentSpanId: undefined, links: [], attributes: { 'facet.outcome': 'unsettled' } },
    ]);
  });

  it('that cannot be published fails its span, and its error is counted by class', async () => {
    await start();
    const refusal = Object.assign(new Error('no stream takes it'), { fault: 'no-stream' });
    await expect(sending(MESSAGE, () => Promise.reject(refusal))).rejects.toBe(refusal);
    await running.close();
    expect(collector.spans).toMatchObject([{ failed: true, message: 'no stream takes it' }]);
    const failed = { subject: MESSAGE.subject, 'error.type': 'Error no-stream' };
    expect(collector.last('facet.bus.publish.duration', failed)).toMatchObject({ count: 1, unit: 's' });
  });
});

it('logs carry the trace of the code that wrote them, here and at the collector', async () => {
  await start();
  expect(traceFields()).toBeUndefined();
  const fields = await inSpan('work', {}, () => {
    exportLog(() => ({ level: 'warn', message: 'careful', attributes: { shard: 7 } }));
    return Promise.resolve(traceFields());
  });
  await running.close();
  const [span] = collector.spans;
  expect(fields).toEqual({ trace_id: span.traceId, span_id: span.spanId });
  expect(collector.logs).toEqual([
    {
      service: 'attacks',
      severity: 'WARN',
      body: 'careful',
      traceId: span.traceId,
      attributes: { shard: 7 },
    },
  ]);
});

it('has a bound on the series of a metric; what comes beyond is counted together', async () => {
  await start();
  for (let i = 0; i < 600; i++) record('facet.dead_letters', 1, { handler: `h${i}`, reason: 'terminal' });
  await running.close();
  const points = collector.points.filter(({ metric }) => metric === 'facet.dead_letters');
  expect(points).toHaveLength(500);
  const total = points.reduce((sum, { value }) => sum + (value ?? 0), 0);
  expect(total).toBe(600);
  expect(collector.last('facet.dead_letters', { 'otel.metric.overflow': true })?.value).toBe(101);
});

it('times the operations of a store, reading among them, and counts errors by class', async () => {
  await start();
  const gone = new StoreError('gone', 'a', 'deleted');
  const store = observedStore({
    async *folders() {
      yield await Promise.resolve('a');
    },
    put: () => Promise.resolve({ written: true, size: 1 }),
    delete: () => Promise.resolve(),
    get: () =>
      Promise.resolve({
        key: 'a',
        size: 1,
        modified: 0,
        bytes: () => Promise.reject(gone),
        async *stream() {
          yield await Promise.resolve(new Uint8Array(1));
        },
      }),
    async *list() {
      yield await Promise.resolve({ key: 'a', size: 1, modified: 0 });
      throw gone;
    },
  });
  await store.put('a', new Uint8Array(1));
  const object = await store.get('a');
  await expect(object?.bytes()).rejects.toBe(gone);
  for await (const chunk of object?.stream() ?? []) expect(chunk.byteLength).toBe(1);
  const listing = async () => {
    for await (const { key } of store.list('')) expect(key).toBe('a');
  };
  await expect(listing()).rejects.toBe(gone);
  for await (const name of store.folders('')) expect(name).toBe('a');
  await running.close();
  const count = (operation: string, type?: string) =>
    collector.last('facet.store.operation.duration', { operation, 'error.type': type })?.count;
  expect(count('put')).toBe(1);
  expect(count('get')).toBe(1);
  expect(count('read')).toBe(1);
  expect(count('folders')).toBe(1);
  expect(count('read', 'StoreError gone')).toBe(1);
  expect(count('list', 'StoreError gone')).toBe(1);
});

describe('a request', () => {
  const request = { method: 'POST', route: '/v1/models/{name}', headers: {} };
  const CALLER = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

  it('is the root of what follows from it, or goes on with its caller, and is counted by route and status', async () => {
    await start();
    const answer = (headers: Record<string, string>) =>
      serving({ ...request, headers }, async (answered) => {
        answered(201);
        return (await sent()).headers['traceparent'];
      });
    expect(await answer({})).toMatch(/^00-/);
    expect(await answer({ traceparent: CALLER })).toContain('0af7651916cd43dd8448eb211c80319c');
    await running.close();
    const served = collector.spans.filter(({ kind }) => kind === 'server');
    expect(served).toMatchObject([
      { name: 'POST /v1/models/{name}', parentSpanId: undefined, failed: false },
      { name: 'POST /v1/models/{name}', parentSpanId: 'b7ad6b7169203331', failed: false },
    ]);
    const series = { 'http.route': request.route, 'http.response.status_code': '201' };
    expect(collector.last('http.server.request.duration', series)).toMatchObject({ count: 2 });
  });

  it('fails by our fault alone', async () => {
    await start();
    const answer = (status: number) => serving(request, (answered) => Promise.resolve(answered(status)));
    await answer(404);
    await answer(503);
    await expect(serving(request, () => Promise.reject(new TypeError('oops')))).rejects.toThrow('oops');
    await running.close();
    expect(collector.spans.map(({ failed }) => failed)).toEqual([false, true, true]);
    const errors = collector.points.map(({ attributes }) => attributes['error.type']);
    expect(errors).toEqual([undefined, '503', 'TypeError']);
  });
});

describe('without an endpoint', () => {
  it('nothing is sent, and headers, store and work are as they were', async () => {
    await start({ OTEL_EXPORTER_OTLP_ENDPOINT: '' });
    expect(await sent()).toBe(MESSAGE);
    const store = {} as Parameters<typeof observedStore>[0];
    expect(observedStore(store)).toBe(store);
    expect(await inSpan('work', {}, () => Promise.resolve(traceFields()))).toBeUndefined();
    await running.close();
    expect(collector.requests).toBe(0);
  });

  it('knows which signals have one', () => {
    expect(signalsOf({})).toEqual([]);
    expect(signalsOf({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c' })).toEqual(['TRACES', 'METRICS', 'LOGS']);
    expect(signalsOf({ OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://c' })).toEqual(['METRICS']);
    expect(signalsOf({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c', OTEL_SDK_DISABLED: 'true' })).toEqual([]);
  });
});

describe('a collector that fails', () => {
  let broken: Server;
  const listen = async (answer: (end: () => void) => void) => {
    broken = createServer((_, response) => answer(() => response.writeHead(400).end()));
    await new Promise<void>((resolve) => broken.listen(0, '127.0.0.1', resolve));
    const { port } = broken.address() as AddressInfo;
    return { ...collector.environment, OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` };
  };
  afterEach(() => {
    broken.closeAllConnections();
    broken.close();
  });

  it('is one warning, whatever is lost; the work does not hear of it', async () => {
    await start(await listen((end) => end()));
    expect(await inSpan('work', {}, () => Promise.resolve(1))).toBe(1);
    record('facet.images', 1, { stage: 'attacks' });
    await running.close();
    expect(warnings).toHaveLength(1);
    expect(warnings[0][0]).toContain('telemetry was lost');
  });

  it('that never answers holds nothing up for long', async () => {
    vi.stubEnv('OTEL_EXPORTER_OTLP_TIMEOUT', '200');
    await start(await listen(() => undefined));
    await inSpan('work', {}, () => Promise.resolve());
    await running.close();
    expect(warnings).toHaveLength(1);
  });
});
