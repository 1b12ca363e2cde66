/** What an S3 server's refusals mean, and trying again while it cannot be reached. */
import { setTimeout as sleep } from 'node:timers/promises';
import { StoreError } from '../port.js';

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;

/** Not about the object but about the moment. */
const PASSING_CODES = new Set([
  'SlowDown',
  'ServiceUnavailable',
  'InternalError',
  'RequestTimeout',
  'RequestTimeTooSkewed',
  'OperationAborted',
  'ConditionalRequestConflict',
  'XMinioServerNotInitialized',
  'XMinioStorageResourceQuorum',
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ERR_STREAM_PREMATURE_CLOSE',
]);
const PASSING_TEXT = /Retryable HTTP status|socket hang up|nothing moved for|aborted|^Request failed after/;

/** MinIO's and versitygw's words for the rule that no key is a folder of another. */
const CONFLICTS = new Set([
  'XMinioParentIsObject',
  'XMinioObjectExistsAsDirectory',
  'ObjectParentIsFile',
  'ExistingObjectIsDirectory',
  'MethodNotAllowed',
]);
const ABSENT = new Set(['NotFound', 'NoSuchKey', 'NoSuchObject']);
const TAKEN = new Set(['PreconditionFailed']);

export const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';

export const isAbsent = (error: unknown): boolean => ABSENT.has(codeOf(error));
export const isTaken = (error: unknown): boolean => TAKEN.has(codeOf(error));

function isPassing(error: unknown): boolean {
  if (PASSING_CODES.has(codeOf(error))) return true;
  return error instanceof Error && PASSING_TEXT.test(error.message);
}

/** The error as the port knows it. */
export function faultOf(key: string, error: unknown): unknown {
  const code = codeOf(error);
  const cause = { cause: error };
  if (CONFLICTS.has(code))
    return new StoreError(
      'conflict',
      key,
      'it is a folder of another key, or another key is a folder of it',
      cause,
    );
  if (code === 'AccessDenied')
    return new StoreError('forbidden', key, 'the store does not let this service do that', cause);
  if (code === 'NoSuchBucket')
    return new StoreError('unavailable', key, 'its bucket is not there; "facet bootstrap" makes it', cause);
  if (isPassing(error)) return new StoreError('unavailable', key, 'the store could not be reached', cause);
  return error;
}

export interface Patience {
  readonly signal?: AbortSignal | undefined;
  readonly limitMs: number;
}

/**
 * Runs `work` until it says something about the object, for as long as the store is only away. An operation that is
 * tried again must be one that can be.
 * @throws {StoreError} of fault `unavailable` at the limit; the signal's reason
 */
export async function patiently<T>(
  key: string,
  { signal, limitMs }: Patience,
  work: () => Promise<T>,
): Promise<T> {
  const end = Date.now() + limitMs;
  for (let failures = 0; ; failures++) {
    signal?.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      signal?.throwIfAborted();
      const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures) * (0.5 + Math.random() / 2);
      if (!isPassing(error) || Date.now() + pauseMs > end) throw faultOf(key, error);
      await sleep(pauseMs, undefined, signal ? { signal } : {}).catch(() => undefined);
    }
  }
}
