/**
 * What crosses between the pool and a worker. One task is in flight per worker; its number ties every message to it.
 * Cancelling also sets a word that threads share, which a task in a tight loop sees although its thread reads no
 * messages; a process is killed instead.
 */

/** The first message to a thread: `cancelled[0]` will hold the number of the latest cancelled task. */
export interface StartMessage {
  readonly kind: 'start';
  readonly cancelled: Int32Array;
}

export interface RunMessage {
  readonly kind: 'run';
  readonly id: number;
  readonly task: string;
  readonly input: unknown;
  /** Whether its progress is told. */
  readonly watched: boolean;
}

export interface CancelMessage {
  readonly kind: 'cancel';
  readonly id: number;
}

export type ToWorker = StartMessage | RunMessage | CancelMessage;

export type FromWorker =
  | { readonly kind: 'progress'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'done'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly error: PortableError };

/** The last line on standard error of a process that is killed for its memory begins so. */
export const TOO_MUCH_MEMORY = 'it needed more memory than its limit,';

/** An error as plain data: structured cloning alone loses the name and fields of our own error classes. */
export interface PortableError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly cause: PortableError | undefined;
}

/** Longer chains of causes are cut, so that a cycle ends. */
const MAX_CAUSES = 8;
const OWN = new Set(['name', 'message', 'stack', 'cause']);

export function packError(thrown: unknown, depth = 0): PortableError {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const fields = Object.entries(error).filter(([key, value]) => !OWN.has(key) && isCloneable(value));
  return {
    name: error.name,
    message: error.message,
    stack: error.stack,
    fields: Object.fromEntries(fields),
    cause: error.cause === undefined || depth === MAX_CAUSES ? undefined : packError(error.cause, depth + 1),
  };
}

/** An `Error` of the same name, message, stack, fields and causes; its class is lost. */
export function unpackError(packed: PortableError): Error {
  const cause = packed.cause && unpackError(packed.cause);
  const error = new Error(packed.message, cause && { cause });
  const hidden = { configurable: true, writable: true, enumerable: false };
  Object.defineProperty(error, 'name', { ...hidden, value: packed.name });
  Object.defineProperty(error, 'stack', { ...hidden, value: packed.stack });
  return Object.assign(error, packed.fields);
}

function isCloneable(value: unknown): boolean {
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}
