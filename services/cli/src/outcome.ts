/** Waits for the end of what was started: the facts that conclude it, good or bad. */
import { type Fact, formatRef, type Ref } from '@facet/contracts';
import { defineHandler, TerminalError, VOCABULARY } from '@facet/runtime';
import type { AnyHandler } from './system.js';

export type Completed = Fact<'evaluation.completed'>;

export interface Conclusion<T> {
  readonly handler: AnyHandler;
  /** What it ended with. Rejects with a TerminalError that says why there will be nothing. */
  readonly completed: Promise<T>;
}

/**
 * The last fact of each model's evaluation. `models`: whose evaluations are waited for; another one's, of a baseline for
 * instance, ends nothing.
 */
export function awaitConclusion(
  models: readonly Ref[],
  onOne?: (done: number) => void,
): Conclusion<Completed[]> {
  const names = models.map(formatRef);
  const { handler, completed } = awaitEvaluations(
    models.length,
    ({ model }) => names.includes(formatRef(model)),
    ({ model }) => formatRef(model),
    onOne,
  );
  const ordered = completed.then((found) =>
    names.map((name) => found.find(({ model }) => formatRef(model) === name)!),
  );
  // The caller may be busy elsewhere when it fails.
  ordered.catch(() => undefined);
  return { handler, completed: ordered };
}

/** Until `count` evaluations that are `wanted` have ended, each known by its key. */
export function awaitEvaluations(
  count: number,
  wanted: (fact: Completed) => boolean | Promise<boolean>,
  keyOf = ({ evaluation }: Completed): string => evaluation,
  onOne?: (done: number) => void,
): Conclusion<Completed[]> {
  let resolve!: (value: Completed[]) => void;
  let reject!: (error: Error) => void;
  const completed = new Promise<Completed[]>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  completed.catch(() => undefined);
  const found = new Map<string, Completed>();
  const take = async (fact: Completed): Promise<void> => {
    if (!(await wanted(fact))) return;
    found.set(keyOf(fact), fact);
    onOne?.(found.size);
    if (found.size === count) resolve([...found.values()]);
  };
  const handler = defineHandler(VOCABULARY, {
    name: 'cli',
    consumes: ['evaluation.completed', 'evaluation.failed', 'training.failed', 'dataset.failed'],
    publishes: [],
    concurrency: 1,
    ackWaitMs: 30_000,
    attemptLimitMs: 30_000,
    maxDeliver: 1,
    async handle(event) {
      if (event.type === 'evaluation.completed') await take(event.data);
      else if (event.type === 'evaluation.failed') reject(new TerminalError(event.data.reasons.join('\n')));
      else reject(new TerminalError(event.data.reason));
      return [];
    },
  });
  return { handler: handler as AnyHandler, completed };
}
