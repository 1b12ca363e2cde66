/**
 * Bodies of requests, read with a hand on the clock and on the scales: a client that sends too much, too slowly or
 * not at all is refused, and holds no memory meanwhile.
 */
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Busboy, type BusboyHeaders } from '@fastify/busboy';
import { type RouteBody } from '@facet/contracts';
import type { z } from 'zod';
import { Refusal, refuseInvalid } from './problems.js';

export interface BodyLimits {
  readonly bytes: number;
  /** Without a byte for so long, the client has gone or wants to hold us. */
  readonly idleMs: number;
  /** A client may dribble: from `graceMs` on it must have sent this much each second, on average. */
  readonly leastBytesPerS: number;
  readonly graceMs: number;
}

/** A JSON part of a form; manifests are far smaller. */
const MAX_DOCUMENT_BYTES = 1024 * 1024;

const tooLarge = (limit: number): Refusal =>
  new Refusal('too-large', `the body has more than the ${limit} bytes that are taken here`);

/** Refuses by the announced length, before anything is read. */
export function checkLength(request: IncomingMessage, { bytes }: BodyLimits): void {
  if (Number(request.headers['content-length'] ?? 0) > bytes) throw tooLarge(bytes);
}

/** The body as it comes. Leaving it early leaves the connection alone, so that an answer can still be sent. */
export async function* chunksOf(request: IncomingMessage, limits: BodyLimits): AsyncGenerator<Uint8Array> {
  const { bytes, idleMs, leastBytesPerS, graceMs } = limits;
  checkLength(request, limits);
  const begun = performance.now();
  const chunks = request.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array>;
  let received = 0;
  for (;;) {
    const { done, value } = await beforeLong(next(chunks), idleMs);
    if (done) break;
    received += value.byteLength;
    if (received > bytes) throw tooLarge(bytes);
    const elapsedMs = performance.now() - begun;
    if (elapsedMs > graceMs && received < (leastBytesPerS * elapsedMs) / 1000)
      throw new Refusal('timeout', `the body came at less than ${leastBytesPerS} bytes per second`);
    yield value;
  }
}

async function next(chunks: AsyncIterator<Uint8Array>): Promise<IteratorResult<Uint8Array>> {
  try {
    return await chunks.next();
  } catch (cause) {
    throw new Refusal('invalid', 'the connection broke before the body had come', { cause });
  }
}

function beforeLong<T>(promise: Promise<T>, ms: number): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Refusal('timeout', `nothing of the body came for ${ms} ms`));
    }, ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

export async function readJsonBody<S extends z.ZodType>(
  request: IncomingMessage,
  schema: S,
  limits: BodyLimits,
): Promise<z.output<S>> {
  checkType(request, 'application/json');
  const parts: Uint8Array[] = [];
  for await (const chunk of chunksOf(request, limits)) parts.push(chunk);
  return parseDocument(Buffer.concat(parts), schema);
}

function parseDocument<S extends z.ZodType>(bytes: Uint8Array, schema: S, part?: string): z.output<S> {
  const path = part === undefined ? [] : [part];
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    const errors = [
      { in: 'body', pointer: `#${path.map((name) => `/${name}`).join('')}`, detail: 'is no JSON' },
    ] as const;
    throw new Refusal('invalid', 'the body is no JSON', { errors, cause });
  }
  const checked = schema.safeParse(value);
  if (checked.success) return checked.data;
  for (const issue of checked.error.issues) issue.path.unshift(...path);
  throw refuseInvalid('body', checked.error, 'unprocessable');
}

export function checkType(request: IncomingMessage, wanted: string): void {
  const [type] = (request.headers['content-type'] ?? '').split(';');
  if (type.trim().toLowerCase() !== wanted)
    throw new Refusal(
      'media-type',
      `the body must be ${wanted}, not ${type === '' ? 'without a type' : type}`,
    );
}

export type FormParts = Extract<RouteBody, { kind: 'multipart' }>['parts'];

export interface Form<T> {
  /** JSON parts by name. */
  readonly documents: Readonly<Record<string, unknown>>;
  /** What `receive` made of the file. */
  readonly file: T;
}

/**
 * A form with JSON parts and one file, each once, in any order. The file goes to `receive` as it comes.
 * What `receive` has done must be undone by the caller where this rejects.
 */
export async function readForm<T>(
  request: IncomingMessage,
  parts: FormParts,
  limits: BodyLimits,
  receive: (chunks: AsyncIterable<Uint8Array>) => Promise<T>,
): Promise<Form<T>> {
  checkType(request, 'multipart/form-data');
  const parser = new Busboy({
    headers: request.headers as BusboyHeaders,
    limits: {
      files: 1,
      fields: 20,
      parts: 20,
      fieldNameSize: 100,
      fieldSize: MAX_DOCUMENT_BYTES,
      headerPairs: 20,
    },
    isPartAFile: (name) => parts[name ?? ''] === 'file',
  });
  const documents: Record<string, unknown> = {};
  const stopping = new AbortController();
  const { signal } = stopping;
  const fail = (error: unknown) => stopping.abort(error);
  let file: Readable | undefined;
  let receiving: Promise<T> | undefined;
  const wrong = (name: string, detail: string) =>
    new Refusal('invalid', `part "${name}" ${detail}`, {
      errors: [{ in: 'body', pointer: `#/${encodeURIComponent(name)}`, detail }],
    });
  parser.on('file', (_, stream) => {
    file = stream;
    // It may break before its receiver has begun to read, who then finds it broken.
    stream.on('error', () => undefined);
    receiving = receive(stream as AsyncIterable<Uint8Array>);
    receiving.catch(fail);
  });
  parser.on('filesLimit', () => fail(wrong('model', 'comes twice')));
  parser.on('partsLimit', () => fail(new Refusal('invalid', 'the form has too many parts')));
  parser.on('fieldsLimit', () => fail(new Refusal('invalid', 'the form has too many parts')));
  parser.on('field', (name, value, _, truncated) => {
    try {
      const schema = Object.hasOwn(parts, name) ? parts[name] : undefined;
      if (schema === undefined || schema === 'file') throw wrong(name, 'is not one of this form');
      if (Object.hasOwn(documents, name)) throw wrong(name, 'comes twice');
      if (truncated) throw wrong(name, `has more than ${MAX_DOCUMENT_BYTES} bytes`);
      documents[name] = parseDocument(Buffer.from(value), schema, name);
    } catch (error) {
      fail(error);
    }
  });
  try {
    await pipeline(Readable.from(chunksOf(request, limits)), parser, { signal });
  } catch (cause) {
    const reason = signal.aborted ? (signal.reason as Error) : (cause as Error);
    // Whoever receives the file would wait for the rest of it for ever.
    file?.destroy(reason);
    await receiving?.catch(() => undefined);
    if (signal.aborted || reason instanceof Refusal) throw reason;
    throw new Refusal('invalid', `the form is damaged: ${reason.message}`, { cause });
  }
  const received = await receiving;
  for (const [name, part] of Object.entries(parts))
    if (part === 'file' ? receiving === undefined : !Object.hasOwn(documents, name))
      throw wrong(name, 'is missing');
  return { documents, file: received as T };
}
