/**
 * Structured logs on standard error: one JSON object per line, which names the trace that it belongs to, or lines for
 * people on a terminal. Where there is a collector they go there too.
 */
import { exportLog, traceFields } from '@facet/telemetry';
import { errorChain, errorLine } from './error-chain.js';

export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: 'json' | 'pretty';
  readonly write?: (line: string) => void;
  readonly now?: () => Date;
}

/** What the environment asks for: `FACET_LOG_LEVEL` (info), `FACET_LOG_FORMAT` (pretty on a terminal, else json). */
export function logOptions(env: Readonly<Record<string, string | undefined>>): LogOptions {
  const level = LOG_LEVELS.find((known) => known === env['FACET_LOG_LEVEL']) ?? 'info';
  const format = env['FACET_LOG_FORMAT'] ?? (process.stderr.isTTY ? 'pretty' : 'json');
  return { level, format: format === 'pretty' ? 'pretty' : 'json' };
}

/** A field `error` is written with its causes. */
export function createLog(options: LogOptions): Log {
  const { level, format, write = (line) => process.stderr.write(line), now = () => new Date() } = options;
  const at =
    (own: Exclude<LogLevel, 'silent'>) =>
    (message: string, fields: LogFields = {}) => {
      if (LOG_LEVELS.indexOf(own) < LOG_LEVELS.indexOf(level)) return;
      write(
        `${format === 'json' ? jsonLine(now(), own, message, fields) : prettyLine(own, message, fields)}\n`,
      );
      exportLog(() => ({ level: own, message, attributes: attributesOf(fields) }));
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** The log with fields that every line then has. */
export function withFields(log: Log, own: LogFields): Log {
  return {
    debug: (message, fields) => log.debug(message, { ...own, ...fields }),
    info: (message, fields) => log.info(message, { ...own, ...fields }),
    warn: (message, fields) => log.warn(message, { ...own, ...fields }),
    error: (message, fields) => log.error(message, { ...own, ...fields }),
  };
}

export const NO_LOG: Log = createLog({ level: 'silent', format: 'json' });

function jsonLine(time: Date, level: string, message: string, fields: LogFields): string {
  const plain = Object.entries(fields).map(([key, value]) => [
    key,
    value instanceof Error ? errorChain(value) : value,
  ]);
  // Fields first in the spread: none may pass for the line's own time, level or message.
  const line = { ...Object.fromEntries(plain), time: time.toISOString(), level, message, ...traceFields() };
  try {
    return JSON.stringify(line, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
  } catch {
    return JSON.stringify({ time: line.time, level, message, fields: 'not serializable' });
  }
}

const textOf = (value: unknown): string => (value instanceof Error ? errorLine(value) : String(value));

function attributesOf(fields: LogFields): Record<string, string | number | boolean> {
  const plain = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => [
      key,
      typeof value === 'number' || typeof value === 'boolean' ? value : textOf(value),
    ]);
  return Object.fromEntries(plain) as Record<string, string | number | boolean>;
}

function prettyLine(level: string, message: string, fields: LogFields): string {
  const parts = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => {
      const text = textOf(value);
      return `${key}=${/[\s"]/.test(text) ? JSON.stringify(text) : text}`;
    });
  return [level.toUpperCase().padEnd(5), message, ...parts].join(' ');
}
