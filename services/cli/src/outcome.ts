/** Waits for the end of what was started: the facts that conclude it, good or bad. */
import { type Fact, formatRef, type Ref } from '@facet/contracts';
import { defineHandler, TerminalError, VOCABULARY } from '@facet/runtime';
import type { AnyHandler } from './system.js';

export type Completed = Fact<'evaluation.completed'>;

export interface Conclusion {
  readonly handler: AnyHandler;
  /** The last fact of each model's evaluation. Rejects with a TerminalError that says why there will be none. */
  readonly completed: Promise<Completed[]>;
}

/** `models`: whose evaluations are waited for; another one's, of a baseline for instance, ends nothing. */
export function awaitConclusion(models: readonly Ref[], onOne?: (done: number) => void): Conclusion {
  let resolve!: (value: Completed[]) => void;
  let reject!: (error: Error) => void;
  const completed = new Promise<Completed[]>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  // The caller may be busy elsewhere when it fails.
  completed.catch(() => undefined);
  const found = new Map<string, Completed>();
  const take = (fact: Completed): void => {
    const name = formatRef(fact.model);
    if (!models.some((model) => formatRef(model) === name)) return;
    found.set(name, fact);
    onOne?.(found.size);
    if (found.size === models.length) resolve(models.map((model) => found.get(formatRef(model))!));
  };
  const handler = defineHandler(VOCABULARY, {
    name: 'cli',
    consumes: ['evaluation.completed', 'evaluation.failed', 'training.failed', 'dataset.failed'],
    publishes: [],
    concurrency: 1,
    ackWaitMs: 30_000,
    attemptLimitMs: 30_000,
    maxDeliver: 1,
    handle(event) {
      if (event.type === 'evaluation.completed') take(event.data);
      else if (event.type === 'evaluation.failed') reject(new TerminalError(event.data.reasons.join('\n')));
      else reject(new TerminalError(event.data.reason));
      return Promise.resolve([]);
    },
  });
  return { handler: handler as AnyHandler, completed };
}
