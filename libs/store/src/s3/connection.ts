/** Where an S3 store is and how we speak to it. No request waits for ever: one on which nothing moves is given up. */
import http from 'node:http';
import https from 'node:https';
import { Client } from 'minio';

export interface S3Options {
  /** `http://` or `https://`, host and port. */
  readonly url: string;
  readonly bucket: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly region?: string;
  /** PEM of the authority that signed the server's certificate, where it is not a public one. */
  readonly ca?: string;
  /** How the store is called from outside, where links must lead; as `url` unless given. */
  readonly linkUrl?: string;
  /** How long an operation goes on trying while the store cannot be reached. */
  readonly patienceMs?: number;
}

/** A peer that is gone without a word would hold a request for minutes otherwise. */
const SILENCE_LIMIT_MS = 15_000;
const MAX_SOCKETS = 32;
const DEFAULT_REGION = 'us-east-1';

export interface S3Connection {
  readonly client: Client;
  /** Closes idle connections. */
  close(): void;
}

export function connectS3({ url, accessKey, secretKey, region, ca }: S3Options): S3Connection {
  const { protocol, hostname, port } = new URL(url);
  const useSSL = protocol === 'https:';
  const agent = useSSL
    ? new https.Agent({ keepAlive: true, maxSockets: MAX_SOCKETS, ...(ca !== undefined && { ca }) })
    : new http.Agent({ keepAlive: true, maxSockets: MAX_SOCKETS });
  const { request } = useSSL ? https : http;
  const client = new Client({
    endPoint: hostname,
    ...(port !== '' && { port: Number(port) }),
    useSSL,
    accessKey,
    secretKey,
    region: region ?? DEFAULT_REGION,
    transportAgent: agent,
    transport: {
      request: (options: https.RequestOptions, answer: (response: http.IncomingMessage) => void) => {
        const sent = request(options, answer);
        return sent.setTimeout(SILENCE_LIMIT_MS, () =>
          sent.destroy(new Error(`nothing moved for ${SILENCE_LIMIT_MS} ms`)),
        );
      },
    } as typeof https,
    // Retries are ours, with a signal and a limit; the client's own would write to the console.
    retryOptions: { disableRetry: true },
  });
  return { client, close: () => agent.destroy() };
}
