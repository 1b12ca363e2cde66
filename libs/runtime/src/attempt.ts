/** The two clocks of an attempt: heartbeats that keep the message ours, and the limit after which we let go. */
import { type Clock, type Delivery } from '@facet/bus';
import { TimeLimitError } from './errors.js';

/** A handler that looks at its signal has this long to stop cleanly; then it is left behind. */
export const ABORT_GRACE_MS = 5_000;

/**
 * Runs `run`, unless `halt` has aborted, with a signal that aborts at the limit or with `halt`. Rejects soon after either, also when `run` never
 * ends: a handler that hangs must not keep its event from being given up.
 */
export function limited<T>(
  run: (signal: AbortSignal) => Promise<T>,
  { limitMs, clock, halt }: { limitMs: number; clock: Clock; halt: AbortSignal },
): Promise<T> {
  if (halt.aborted) return Promise.reject(halt.reason as Error);
  const controller = new AbortController();
  const { signal } = controller;
  return new Promise<T>((resolve, reject) => {
    const leave = () => reject(signal.reason as Error);
    const onHalt = () => {
      controller.abort(halt.reason);
      leave();
    };
    const stopLimit = clock.setTimer(limitMs, () => controller.abort(new TimeLimitError(limitMs)));
    const stopGrace = clock.setTimer(limitMs + ABORT_GRACE_MS, leave);
    halt.addEventListener('abort', onHalt, { once: true });
    const work = async () => run(signal);
    void work()
      .then(resolve, (error: unknown) => reject((signal.aborted ? signal.reason : error) as Error))
      .finally(() => {
        stopLimit();
        stopGrace();
        halt.removeEventListener('abort', onHalt);
      });
  });
}

/**
 * Prolongs a delivery at every third of its ack wait, so that one lost heartbeat does no harm, but not for ever.
 * @returns what stops it
 */
export function keepWorking(
  delivery: Delivery,
  options: { capMs: number; clock: Clock; onError: (error: unknown) => void },
): () => void {
  const { capMs, clock, onError } = options;
  const end = clock.now() + capMs;
  let stopTimer: () => void;
  const beatLater = () => {
    stopTimer = clock.setTimer(delivery.ackWaitMs / 3, () => {
      if (clock.now() > end) return;
      delivery.working().catch(onError);
      beatLater();
    });
  };
  beatLater();
  return () => stopTimer();
}
