/** Progress as server-sent events, with a sign of life for proxies that close what is silent. */
import type { ProgressEvent } from './evaluations.js';

const SILENCE_MS = 15_000;
/** A client that lost its connection comes back after this long. */
const RETRY_MS = 2000;

export async function* eventStream(events: AsyncGenerator<ProgressEvent>): AsyncGenerator<string> {
  yield `retry: ${RETRY_MS}\n\n`;
  try {
    for (let next = events.next(); ;) {
      const event = await silenceOr(next);
      if (event === undefined) {
        yield ': still here\n\n';
        continue;
      }
      if (event.done) return;
      const { id, progress } = event.value;
      yield `id: ${id}\nevent: progress\ndata: ${JSON.stringify(progress)}\n\n`;
      next = events.next();
    }
  } finally {
    await events.return(undefined);
  }
}

function silenceOr<T>(promise: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(undefined), SILENCE_MS);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
