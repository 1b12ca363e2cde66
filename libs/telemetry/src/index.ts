// OpenTelemetry set-up, traces through messages, names of spans and metrics.
export { type RunningTelemetry, startTelemetry, type TelemetryOptions } from './start.js';
export { type MetricAttributes, type MetricName, METRICS } from './metrics.js';
export { type Attributes, type LogRecord, type Span, type TraceFields } from './port.js';
export { exportLog, inSpan, isTelemetryOn, record, traceFields } from './spans.js';
export { type Attempt, type Ended, processing, sending } from './messages.js';
export { type HttpRequest, serving } from './requests.js';
export { observedStore } from './observed.js';
