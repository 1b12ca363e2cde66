/** Waiting for what another process does: asked again until it is there, or the deadline is over. */
import { setTimeout as pause } from 'node:timers/promises';

const PAUSE_MS = 250;

/**
 * What `probe` gives as soon as it is not undefined.
 * @throws {Error} that names `what` and the last failure, after `limitMs`
 */
export async function until<T>(
  what: string,
  limitMs: number,
  probe: () => Promise<T | undefined>,
): Promise<T> {
  const deadline = Date.now() + limitMs;
  let cause: unknown;
  for (;;) {
    try {
      const found = await probe();
      if (found !== undefined) return found;
    } catch (error) {
      cause = error;
    }
    if (Date.now() > deadline) throw new Error(`${what}: not there after ${limitMs} ms`, { cause });
    await pause(PAUSE_MS);
  }
}
