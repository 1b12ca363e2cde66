/** Waiting for a server that has just been started, and a free port for it. */
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Child } from './child.js';

const START_LIMIT_MS = 30_000;
const PROBE_INTERVAL_MS = 25;

/** A port of the loopback interface that nobody listens on now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/**
 * Resolves when `probe` does not throw any more.
 * @throws {Error} with what the program said, where it ends or needs longer than 30 s
 */
export async function untilReady(name: string, child: Child, probe: () => Promise<void>): Promise<void> {
  const deadline = Date.now() + START_LIMIT_MS;
  for (;;) {
    try {
      await probe();
      return;
    } catch (cause) {
      if (!child.isRunning) throw new Error(`${name} ended while it started: ${child.said}`, { cause });
      if (Date.now() > deadline) {
        await child.kill();
        throw new Error(`${name} was not ready after ${START_LIMIT_MS} ms: ${child.said}`, { cause });
      }
      await pause(PROBE_INTERVAL_MS);
    }
  }
}
