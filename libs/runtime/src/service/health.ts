/** What Kubernetes asks a process: /livez (shall it be restarted?) and /readyz (are its servers there?). */
import { createServer } from 'node:http';
import { once } from 'node:events';
import { errorLine } from '../error-chain.js';

export interface HealthChecks {
  /** Why only a restart can help; undefined where it is well. */
  trouble(): string | undefined;
  /** Rejects while it cannot work. */
  ready(): Promise<void>;
}

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

/** A server that does not answer must not have the question pile up. */
const READY_LIMIT_MS = 3_000;

export async function serveHealth(
  { host, port }: { readonly host: string; readonly port: number },
  checks: HealthChecks,
): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const answer = (status: number, text: string) => {
      response.writeHead(status, { 'content-type': 'text/plain', 'cache-control': 'no-store' });
      response.end(`${text}\n`);
    };
    if (request.url === '/livez') {
      const trouble = checks.trouble();
      answer(trouble === undefined ? 200 : 503, trouble ?? 'ok');
    } else if (request.url === '/readyz') {
      within(READY_LIMIT_MS, checks.ready()).then(
        () => answer(200, 'ok'),
        (error: unknown) => answer(503, errorLine(error)),
      );
    } else answer(404, 'there are /livez and /readyz');
  });
  server.listen(port, host);
  await once(server, 'listening');
  server.unref();
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function within(limitMs: number, work: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${limitMs} ms`)), limitMs);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
