/** A connection to NATS that comes back by itself, for as long as the process lives. */
import { nkeyAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import { connect } from '@nats-io/transport-node';
import { BusError } from '../port.js';

export interface NatsOptions {
  /** `nats://` or `tls://`, host and port; several, with commas between them, of one cluster. */
  readonly url: string;
  /** Seed of the user's nkey (`SU...`); without it, nobody in particular. */
  readonly seed?: string;
  /** PEM of the authority that signed the servers' certificates, where it is not a public one. */
  readonly ca?: string;
  /** Letters, digits, dashes: shown by the server, and part of where answers go. */
  readonly name: string;
}

/** A broken connection is noticed within two of these. */
const PING_INTERVAL_MS = 5_000;
const RECONNECT_WAIT_MS = 200;
const CONNECT_TIMEOUT_MS = 5_000;

/** Where a user hears answers. */
export const inboxOf = (name: string): string => `_INBOX_${name}`;

/** @throws {BusError} of fault `unavailable`, where nobody answers now */
export async function connectNats({ url, seed, ca, name }: NatsOptions): Promise<NatsConnection> {
  const servers = url.split(',').map((server) => server.trim());
  try {
    return await connect({
      servers,
      name,
      inboxPrefix: inboxOf(name),
      ...(seed !== undefined && { authenticator: nkeyAuthenticator(new TextEncoder().encode(seed)) }),
      ...((ca !== undefined || servers.some((server) => server.startsWith('tls:'))) && {
        tls: ca === undefined ? {} : { ca },
      }),
      timeout: CONNECT_TIMEOUT_MS,
      maxReconnectAttempts: -1,
      reconnectTimeWait: RECONNECT_WAIT_MS,
      reconnectJitter: RECONNECT_WAIT_MS,
      pingInterval: PING_INTERVAL_MS,
      maxPingOut: 2,
      // What is refused is told where it was asked for; nothing goes to the console.
      debug: false,
      noAsyncTraces: true,
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new BusError('unavailable', `NATS at ${servers.join(', ')} cannot be reached: ${reason}`, {
      cause,
    });
  }
}
