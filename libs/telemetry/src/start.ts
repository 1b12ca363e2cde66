/**
 * Turns telemetry on where an endpoint is named in the environment, with OpenTelemetry's own variables. Whatever goes
 * wrong with it is a warning and nothing else: no error of it reaches the work, at the start, on the way or at the end.
 */
import { setTelemetry } from './port.js';

export interface TelemetryOptions {
  /** `service.name` of all that is sent, unless OTEL_SERVICE_NAME says another. */
  readonly service: string;
  /** `service.version`. */
  readonly version: string;
  /** Where troubles with sending are told: rarely, never more than one line in {@link WARNING_INTERVAL_MS}. */
  readonly log: { warn(message: string, fields?: Readonly<Record<string, unknown>>): void };
}

export interface RunningTelemetry {
  /** Sends what is left, within {@link CLOSE_LIMIT_MS}. Never rejects. Idempotent. */
  close(): Promise<void>;
}

/** A collector that is away for a day must not fill the log. */
export const WARNING_INTERVAL_MS = 10 * 60_000;

/** A collector that does not answer must not hold up the end of a process. */
export const CLOSE_LIMIT_MS = 3_000;

export const SIGNALS = ['TRACES', 'METRICS', 'LOGS'] as const;
export type Signal = (typeof SIGNALS)[number];

const OFF: RunningTelemetry = { close: () => Promise.resolve() };

/** Which signals have an endpoint: the general one, or their own. */
export function signalsOf(env: Readonly<Record<string, string | undefined>>): Signal[] {
  const named = (name: string) => (env[name] ?? '') !== '';
  if (env['OTEL_SDK_DISABLED'] === 'true') return [];
  return SIGNALS.filter(
    (signal) => named('OTEL_EXPORTER_OTLP_ENDPOINT') || named(`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`),
  );
}

/** To be called once, before the ports are opened. Does nothing, and loads nothing, without an endpoint. */
export async function startTelemetry(options: TelemetryOptions): Promise<RunningTelemetry> {
  const signals = signalsOf(process.env);
  if (signals.length === 0) return OFF;
  try {
    const { openTelemetry } = await import('./open-telemetry.js');
    const { telemetry, close } = openTelemetry(options, signals);
    setTelemetry(telemetry);
    let closing: Promise<void> | undefined;
    return {
      close() {
        setTelemetry(undefined);
        closing ??= close();
        return closing;
      },
    };
  } catch (error) {
    options.log.warn('telemetry could not be started, and nothing is sent', { error });
    return OFF;
  }
}
