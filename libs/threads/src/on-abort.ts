/**
 * Waits for a signal with one listener, however many tasks wait for it: Node warns of a leak from the eleventh on, and
 * an attempt runs hundreds of tasks under its one signal. The listener goes with the last who waits.
 */
interface Waiting {
  readonly actions: Set<() => void>;
  readonly listener: () => void;
}

const waitingFor = new WeakMap<AbortSignal, Waiting>();

function begin(signal: AbortSignal): Waiting {
  const actions = new Set<() => void>();
  const listener = () => {
    for (const action of [...actions]) action();
  };
  signal.addEventListener('abort', listener, { once: true });
  const waiting = { actions, listener };
  waitingFor.set(signal, waiting);
  return waiting;
}

/** Calls `action`, a function of its own for each call, when the signal aborts; what is returned forgets it. */
export function onAbort(signal: AbortSignal, action: () => void): () => void {
  const waiting = waitingFor.get(signal) ?? begin(signal);
  waiting.actions.add(action);
  return () => {
    waiting.actions.delete(action);
    if (waiting.actions.size > 0) return;
    signal.removeEventListener('abort', waiting.listener);
    waitingFor.delete(signal);
  };
}
