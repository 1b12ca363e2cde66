/** Waiting for a server that has just been started, and a free port for it. */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Child } from './child.js';

const START_LIMIT_MS = 30_000;
const PROBE_INTERVAL_MS = 25;

/** From here to {@link PORTS_END} systems give no ports to outgoing connections, which may take one before its server does. */
const PORTS_FROM = 16_384;
const PORTS_END = 32_768;
const MOST_TRIES = 100;

/** A port of the loopback interface that nobody listens on now, and that no outgoing connection takes meanwhile. */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < MOST_TRIES; tried++) {
    const port = randomInt(PORTS_FROM, PORTS_END);
    if (await isFree(port)) return port;
  }
  throw new Error(`none of ${MOST_TRIES} ports from ${PORTS_FROM} to ${PORTS_END - 1} is free`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false);
      else reject(error);
    });
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
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
