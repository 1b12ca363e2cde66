/**
 * Telemetry by OpenTelemetry's SDK: the only file that loads it, and only once there is something to send to.
 * Exporters, protocol, sampling and resource come from OpenTelemetry's own variables.
 */
import {
  type Attributes,
  context,
  diag,
  DiagLogLevel,
  metrics,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { logs, SeverityNumber } from '@opentelemetry/api-logs';
import { NodeSDK, resources } from '@opentelemetry/sdk-node';
import { type MetricName, METRICS } from './metrics.js';
import { type SpanRequest, type Telemetry } from './port.js';
import { errorType } from './spans.js';
import { CLOSE_LIMIT_MS, type Signal, type TelemetryOptions, WARNING_INTERVAL_MS } from './start.js';

const SCOPE = 'facet';

/**
 * Where the environment says nothing. The queue holds what a planner sends at once: with OpenTelemetry's 2,048 spans a
 * large evaluation loses some and its trace falls apart. The timeout is the one of the end of a process.
 */
const DEFAULTS = {
  OTEL_BSP_MAX_QUEUE_SIZE: '32768',
  OTEL_EXPORTER_OTLP_TIMEOUT: String(CLOSE_LIMIT_MS),
};

const KINDS = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;

const SEVERITIES = {
  debug: SeverityNumber.DEBUG,
  info: SeverityNumber.INFO,
  warn: SeverityNumber.WARN,
  error: SeverityNumber.ERROR,
} as const;

/** Of an error's message in a span's status. */
const MAX_MESSAGE_LENGTH = 500;

export function openTelemetry(
  options: TelemetryOptions,
  signals: readonly Signal[],
): { readonly telemetry: Telemetry; close(): Promise<void> } {
  for (const [name, value] of Object.entries(DEFAULTS)) process.env[name] ??= value;
  const warn = warner(options.log);
  diag.setLogger(
    { error: warn, warn, info: ignore, debug: ignore, verbose: ignore },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
  const sdk = new NodeSDK({
    resource: resources.defaultResource().merge(
      resources.resourceFromAttributes({
        'service.namespace': 'facet',
        'service.name': options.service,
        'service.version': options.version,
      }),
    ),
    // No process detector: command lines name people's files.
    ...(process.env['OTEL_NODE_RESOURCE_DETECTORS'] === undefined && {
      resourceDetectors: [resources.envDetector, resources.hostDetector, resources.serviceInstanceIdDetector],
    }),
    ...(!signals.includes('TRACES') && { spanProcessors: [] }),
    ...(!signals.includes('METRICS') && { metricReaders: [] }),
    ...(!signals.includes('LOGS') && { logRecordProcessors: [] }),
    views: Object.entries(METRICS).map(([instrumentName, { limit }]) => ({
      instrumentName,
      aggregationCardinalityLimit: limit,
    })),
  });
  sdk.start();
  return {
    telemetry: telemetryOf(options.version),
    async close() {
      await within(CLOSE_LIMIT_MS, sdk.shutdown()).catch(warn);
      for (const api of [trace, metrics, context, propagation, logs, diag]) api.disable();
    },
  };
}

function telemetryOf(version: string): Telemetry {
  const tracer = trace.getTracer(SCOPE, version);
  const logger = logs.getLogger(SCOPE, version);
  const recorders = recordersOf(version);
  return {
    span(request, work) {
      const { parent, links } = contextOf(request);
      const span = tracer.startSpan(
        request.name,
        { kind: KINDS[request.kind ?? 'internal'], attributes: request.attributes as Attributes, links },
        parent,
      );
      const view = {
        set: (attributes: SpanRequest['attributes']) => void span.setAttributes(attributes as Attributes),
        fail: (error: unknown) => failSpan(span, error),
      };
      return context.with(trace.setSpan(parent, span), async () => {
        try {
          return await work(view);
        } catch (error) {
          failSpan(span, error);
          throw error;
        } finally {
          span.end();
        }
      });
    },
    inject(headers) {
      const own = Object.entries(headers).filter(([name]) => !propagation.fields().includes(name));
      const carrier = Object.fromEntries(own);
      propagation.inject(context.active(), carrier);
      return carrier;
    },
    fields() {
      const running = trace.getActiveSpan()?.spanContext();
      return running && { trace_id: running.traceId, span_id: running.spanId };
    },
    record: (metric, value, attributes) => recorders[metric](value, attributes as Attributes),
    log({ level, message, attributes }) {
      logger.emit({
        severityNumber: SEVERITIES[level],
        severityText: level.toUpperCase(),
        body: message,
        attributes: attributes as Attributes,
      });
    },
  };
}

function contextOf({ from, link }: SpanRequest) {
  const parent = from === undefined ? context.active() : propagation.extract(ROOT_CONTEXT, from);
  const sender = trace.getSpanContext(parent);
  const links = link && sender ? [{ context: sender, attributes: link as Attributes }] : [];
  return { parent, links };
}

function failSpan(span: Span, error: unknown): void {
  const text = error instanceof Error ? error.message : String(error);
  span.setAttribute('error.type', errorType(error));
  span.setStatus({ code: SpanStatusCode.ERROR, message: text.slice(0, MAX_MESSAGE_LENGTH) });
}

type Recorder = (value: number, attributes: Attributes) => void;

function recordersOf(version: string): Record<MetricName, Recorder> {
  const meter = metrics.getMeter(SCOPE, version);
  const recorders = Object.entries(METRICS).map(([name, metric]): [string, Recorder] => {
    const options = { unit: metric.unit, description: metric.about };
    switch (metric.kind) {
      case 'counter': {
        const counter = meter.createCounter(name, options);
        return [name, (value, attributes) => counter.add(value, attributes)];
      }
      case 'gauge': {
        const gauge = meter.createGauge(name, options);
        return [name, (value, attributes) => gauge.record(value, attributes)];
      }
      case 'histogram': {
        const advice = { explicitBucketBoundaries: [...metric.buckets] };
        const histogram = meter.createHistogram(name, { ...options, advice });
        return [name, (value, attributes) => histogram.record(value, attributes)];
      }
    }
  });
  return Object.fromEntries(recorders) as Record<MetricName, Recorder>;
}

const ignore = () => undefined;

/** One line for the first trouble in an interval; the work goes on, and what could not be sent is lost. */
function warner(log: TelemetryOptions['log']): (trouble: unknown) => void {
  let quietUntil = -Infinity;
  return (trouble) => {
    const now = performance.now();
    if (now < quietUntil) return;
    quietUntil = now + WARNING_INTERVAL_MS;
    log.warn('telemetry was lost on its way to the collector; the work goes on', { cause: causeOf(trouble) });
  };
}

/** OpenTelemetry tells its troubles as errors or as JSON of errors. */
function causeOf(trouble: unknown): string {
  if (trouble instanceof Error) return trouble.message;
  const text = String(trouble);
  try {
    const { name, message, code } = JSON.parse(text) as { name?: string; message?: string; code?: string };
    return [name, code, message].filter((part) => part !== undefined && part !== '').join(' ');
  } catch {
    return text.slice(0, MAX_MESSAGE_LENGTH);
  }
}

function within(limitMs: number, work: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`the collector took longer than ${limitMs} ms`)),
      limitMs,
    );
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
