/** What was found out about models, by key: found out once, whoever asks and however many ask at a time. */
import { ModelError } from '@facet/onnx';
import { onAbort } from '@facet/threads';

/** Each is a few hundred bytes, its key a manifest. */
const KEPT = 256;

export class Verdicts<T> {
  readonly #known = new Map<string, Promise<T>>();

  has(key: string): boolean {
    return this.#known.has(key);
  }

  /** A signal ends the waiting, not the work: others wait for the same verdict. */
  of(key: string, find: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    const verdict = this.#known.get(key) ?? this.#find(key, find);
    this.#known.delete(key);
    this.#known.set(key, verdict);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= KEPT) break;
      this.#known.delete(oldest);
    }
    return signal === undefined ? verdict : unlessAborted(verdict, signal);
  }

  /** Only what is wrong with the model itself holds for the next time. */
  #find(key: string, find: () => Promise<T>): Promise<T> {
    const verdict = find();
    verdict.catch((error: unknown) => {
      if (!(error instanceof ModelError)) this.#known.delete(key);
    });
    return verdict;
  }
}

function unlessAborted<T>(verdict: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const forget = onAbort(signal, () => reject(signal.reason as Error));
    void verdict.then(resolve, reject).finally(forget);
  });
}
