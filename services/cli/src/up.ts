/** `facet up`: the whole system and its gateway in one process, on this machine alone, until Ctrl-C. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { listen, openGateway } from '@facet/gateway';
import { createLog, Lifecycle, logOptions, NO_PROGRESS } from '@facet/runtime';
import { type AnyHandler, openSystem } from './system.js';

export interface UpOptions {
  readonly out: string;
  readonly port: number;
  readonly version: string;
}

/** Loopback: who can reach it is on this machine, and needs the token all the same. */
const HOST = '127.0.0.1';

export async function up({ out, port, version }: UpOptions): Promise<void> {
  const lifecycle = new Lifecycle();
  const log = createLog(logOptions(process.env));
  try {
    const system = await openSystem(lifecycle, {
      folder: join(out, 'store'),
      log,
      version,
      progress: NO_PROGRESS,
    });
    const { store, bus } = system;
    const onBroken = (error: Error) => lifecycle.abort(error);
    const options = { store, bus, linkKey: randomBytes(32), onBroken, log, version };
    const gateway = lifecycle.own('gateway', await openGateway(options), (g) => g.close());
    system.start(gateway.handlers as AnyHandler[]);
    const listening = lifecycle.own('http', await listen(gateway.app, { host: HOST, port }), (l) =>
      l.close(0),
    );
    // The one of the last start ends with this.
    const { token } = await gateway.tokens.create({ id: 'up', name: 'facet up', role: 'admin' });
    process.stdout.write(
      `Facet answers at ${listening.url}; its API is described there. For another terminal:\n\n` +
        `export FACET_SERVER=${listening.url}\nexport FACET_TOKEN=${token}\n\nIt runs until Ctrl-C.\n`,
    );
    await new Promise<void>((resolve) => {
      const alive = setInterval(() => undefined, 2 ** 30);
      const stop = () => {
        clearInterval(alive);
        resolve();
      };
      lifecycle.signal.addEventListener('abort', stop, { once: true });
      if (lifecycle.signal.aborted) stop();
    });
  } finally {
    await lifecycle.close();
  }
}
