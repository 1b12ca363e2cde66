/** What code anywhere says of itself: a span around some work, a value of a metric, a line of the log. */
import { type MetricAttributes, type MetricName } from './metrics.js';
import { type Attributes, type LogRecord, type Span, telemetry, type TraceFields } from './port.js';

const NO_SPAN: Span = { set: () => undefined, fail: () => undefined };

/**
 * Runs `work` as a child of the span around it.
 * @param name what is done, one of few: `attack`, never `attack depth of shard 7`, which are attributes
 * @example await inSpan('attack', { 'facet.cell': cell.id }, () => engine.attack(request))
 */
export function inSpan<T>(
  name: string,
  attributes: Attributes,
  work: (span: Span) => Promise<T>,
): Promise<T> {
  return telemetry()?.span({ name, attributes }, work) ?? work(NO_SPAN);
}

/** Counts, or records a value of, one of {@link METRICS}. */
export function record<M extends MetricName>(
  metric: M,
  value: number,
  attributes: MetricAttributes<M>,
): void {
  telemetry()?.record(metric, value, attributes);
}

/** Whether anything is sent: for what would cost something to find out. */
export const isTelemetryOn = (): boolean => telemetry() !== undefined;

/** Trace and span of the running code, for structured logs; undefined outside any. */
export const traceFields = (): TraceFields | undefined => telemetry()?.fields();

/** Sends a line of the log to the collector as well; it is made only where there is one. */
export function exportLog(line: () => LogRecord): void {
  telemetry()?.log(line());
}

/** Calls `work` and records its seconds, with the error's name where it fails. */
export async function timed<T>(
  done: (seconds: number, errorType: string | undefined) => void,
  work: () => Promise<T>,
): Promise<T> {
  const start = performance.now();
  const seconds = () => (performance.now() - start) / 1000;
  try {
    const result = await work();
    done(seconds(), undefined);
    return result;
  } catch (error) {
    done(seconds(), errorType(error));
    throw error;
  }
}

/** A class of errors, never a message: what an error says has no bound. */
export function errorType(error: unknown): string {
  if (!(error instanceof Error)) return 'Error';
  const { fault, code } = error as { fault?: unknown; code?: unknown };
  const detail = typeof fault === 'string' ? fault : typeof code === 'string' ? code : undefined;
  return detail === undefined ? error.name : `${error.name} ${detail}`;
}
