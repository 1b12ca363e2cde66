/**
 * Events as messages: CloudEvents 1.0 in binary mode. The attributes are `ce-` headers, percent-encoded as the
 * HTTP and NATS bindings ask; the data is JSON; the trace context keeps its own W3C header names.
 */
import { createHash } from 'node:crypto';
import { type Message } from '@facet/bus';
import { z } from 'zod';
import { InputError, TerminalError } from './errors.js';
import {
  type EventContext,
  type OutgoingEvent,
  type ReceivedEvent,
  type Registry,
  type TypeOf,
} from './registry.js';

const SPEC_VERSION = '1.0';
const CONTENT_TYPE = 'application/json';
const TRACE_HEADERS = ['traceparent', 'tracestate'] as const;

export type SentEvent<R extends Registry, T extends TypeOf<R> = TypeOf<R>> = EventContext &
  OutgoingEvent<R, T>;

/**
 * The message of an event. Its data is checked first, so that what is sent is what a receiver takes.
 * @throws {TerminalError} where the data breaks the schema of its type
 */
export function encodeEvent<R extends Registry>(registry: R, event: SentEvent<R>): Message {
  const { id, type, source, time, subject, pool } = event;
  const kind = kindOf(registry, type);
  const checked = kind.schema.safeParse(event.data);
  if (!checked.success) {
    const { error: cause } = checked;
    throw new TerminalError(`event ${type} cannot be sent: ${z.prettifyError(cause)}`, { cause });
  }
  const attributes = { id, type, source, specversion: SPEC_VERSION, time, subject };
  const headers: Record<string, string> = { 'content-type': CONTENT_TYPE };
  for (const [name, value] of Object.entries(attributes))
    if (value !== undefined) headers[`ce-${name}`] = escape(value);
  for (const name of TRACE_HEADERS) if (event[name] !== undefined) headers[name] = event[name];
  return {
    id,
    subject: kind.subject(pool),
    headers,
    data: new TextEncoder().encode(JSON.stringify(checked.data)),
  };
}

/**
 * The event of a message.
 * @throws {InputError} that names the header or the field which is wrong
 */
export function decodeEvent<R extends Registry>(registry: R, message: Message): ReceivedEvent<R> {
  const attribute = (name: string): string | undefined => {
    const value = message.headers[`ce-${name}`];
    return value === undefined ? undefined : unescape(value);
  };
  const required = (name: string): string => {
    const value = attribute(name);
    if (value === undefined || value === '') throw new InputError('is missing', { field: `ce-${name}` });
    return value;
  };
  const version = required('specversion');
  if (version !== SPEC_VERSION)
    throw new InputError(`is ${version}, not ${SPEC_VERSION}`, { field: 'ce-specversion' });
  const [id, type, source, time] = ['id', 'type', 'source', 'time'].map(required);
  const kind = kindOf(registry, type);
  const contentType = message.headers['content-type'];
  if (contentType !== CONTENT_TYPE)
    throw new InputError(`is ${contentType ?? 'missing'}, not ${CONTENT_TYPE}`, { field: 'content-type' });
  const checked = kind.schema.safeParse(parseJson(message.data));
  if (!checked.success) {
    const { error: cause } = checked;
    const field = ['data', ...cause.issues[0].path].join('.');
    throw new InputError(`event ${type} is not what it should be: ${z.prettifyError(cause)}`, {
      field,
      cause,
    });
  }
  const { data } = checked;
  const { traceparent, tracestate } = message.headers;
  return {
    id,
    type,
    source,
    time,
    subject: attribute('subject'),
    traceparent,
    tracestate,
    data,
  } as ReceivedEvent<R>;
}

/** An id that depends only on its parts, so that a repeated handler sends what it sent before. */
export function derivedId(...parts: readonly (string | number)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

function kindOf(registry: Registry, type: string) {
  if (!Object.hasOwn(registry, type))
    throw new InputError(`there is no event type ${type}`, { field: 'ce-type' });
  return registry[type];
}

function parseJson(data: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(data));
  } catch (cause) {
    throw new InputError('is not JSON', { field: 'data', cause });
  }
}

/** Everything but printable ASCII, and of that the blank, the quote and the percent sign. */
const escape = (value: string): string => value.replaceAll(/[^!#$&-~]/gu, (char) => encodeURIComponent(char));

function unescape(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
