/** The gateway's socket: its time limits for headers and silence, and an end that lets running requests finish. */
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface ListenOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly tls?: { readonly cert: string | Uint8Array; readonly key: string | Uint8Array };
  /** Headers must have come after this long. */
  readonly headersTimeoutMs?: number;
}

export interface Listening {
  readonly url: string;
  /** Takes no new connection, lets requests finish for `graceMs`, then ends them. May be called again, to hurry. */
  close(graceMs: number): Promise<void>;
}

const HEADERS_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 5_000;
const MAX_CONNECTIONS = 2_000;

export async function listen(
  app: RequestListener,
  { host, port, tls, headersTimeoutMs = HEADERS_TIMEOUT_MS }: ListenOptions,
): Promise<Listening> {
  const options = {
    headersTimeout: headersTimeoutMs,
    // Bodies are watched chunk by chunk, as a model may take long where a dribble may not.
    requestTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: Math.min(1000, headersTimeoutMs),
  };
  const server: Server =
    tls === undefined
      ? createServer(options, app)
      : createTlsServer({ ...options, cert: Buffer.from(tls.cert), key: Buffer.from(tls.key) }, app);
  server.maxConnections = MAX_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const { port: bound } = server.address() as AddressInfo;
  const shown = host.includes(':') ? `[${host}]` : host;
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${shown}:${bound}`,
    close: (graceMs) =>
      new Promise((resolve) => {
        const timer = setTimeout(() => server.closeAllConnections(), graceMs);
        server.close(() => {
          clearTimeout(timer);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}
