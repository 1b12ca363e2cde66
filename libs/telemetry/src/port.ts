/**
 * Telemetry as the rest of the code sees it, and which one this process has. There is none until `startTelemetry`
 * has found an endpoint to send to: then every function here is a test of one variable, and nothing of OpenTelemetry
 * is loaded.
 */
import { type MetricAttributes, type MetricName } from './metrics.js';

export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** Message headers; the trace context is `traceparent` and `tracestate` in them (W3C Trace Context). */
export type Headers = Readonly<Record<string, string>>;

export interface Span {
  set(attributes: Attributes): void;
  /** Marks it as failed although its work did not throw. */
  fail(error: unknown): void;
}

export interface SpanRequest {
  /** One of few: what was done, never to which object. */
  readonly name: string;
  readonly kind?: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  readonly attributes?: Attributes;
  /** Where the context comes from outside: its headers, instead of the span around. */
  readonly from?: Headers;
  /** Has the context from outside linked too, with these attributes. */
  readonly link?: Attributes;
}

/** Trace and span of the running code, named as in OpenTelemetry's format for logs that are not OTLP. */
export interface TraceFields {
  readonly trace_id: string;
  readonly span_id: string;
}

export interface LogRecord {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly attributes: Attributes;
}

export interface Telemetry {
  /** Runs `work` as a span; it fails as `work` does, and `work` never fails because of it. */
  span<T>(request: SpanRequest, work: (span: Span) => Promise<T>): Promise<T>;
  /** The headers with the running span's context instead of their own. */
  inject(headers: Headers): Headers;
  fields(): TraceFields | undefined;
  record<M extends MetricName>(metric: M, value: number, attributes: MetricAttributes<M>): void;
  log(record: LogRecord): void;
}

let current: Telemetry | undefined;

/** Undefined where nothing is sent. */
export const telemetry = (): Telemetry | undefined => current;

export function setTelemetry(next: Telemetry | undefined): void {
  current = next;
}
