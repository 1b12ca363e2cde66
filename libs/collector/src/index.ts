// An OpenTelemetry collector in memory, for tests: takes OTLP over HTTP as JSON.
export { type CollectedLog, type CollectedPoint, type CollectedSpan, Collector } from './collector.js';
