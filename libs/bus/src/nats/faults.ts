/** What NATS' refusals mean. */
import { JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream';
import { PermissionViolationError } from '@nats-io/transport-node';
import { BusError } from '../port.js';

/** "filtered consumer not unique on workqueue stream", "multiple non-filtered consumers not allowed" */
const NOT_UNIQUE_CODES = [10099, 10100, 10101, 10102];

/** The error itself or one of its causes. */
function find<T extends Error>(error: unknown, kind: abstract new (...args: never[]) => T): T | undefined {
  for (let at = error; at instanceof Error; at = at.cause) if (at instanceof kind) return at;
  return undefined;
}

/** The error as the port knows it; one about the moment and not about the message is `unavailable`. */
export function busErrorOf(what: string, error: unknown): BusError {
  if (error instanceof BusError) return error;
  const options = { cause: error };
  if (find(error, PermissionViolationError) !== undefined)
    return new BusError('forbidden', `${what}: this service's NATS user may not do that`, options);
  const refused = find(error, JetStreamApiError);
  if (refused === undefined) return new BusError('unavailable', `${what}: NATS cannot be reached`, options);
  const { message, code } = refused;
  if (code === JetStreamApiCodes.StreamNotFound)
    return new BusError(
      'unavailable',
      `${what}: the stream is not there; "facet bootstrap" makes it`,
      options,
    );
  if (NOT_UNIQUE_CODES.includes(code)) return new BusError('conflict', `${what}: ${message}`, options);
  return new BusError('unavailable', `${what}: ${message}`, options);
}
