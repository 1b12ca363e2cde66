/** Waits for the end of one training. */
import { type Fact, formatRef, type Ref } from '@facet/contracts';
import { defineHandler, TerminalError, VOCABULARY } from '@facet/runtime';
import type { Conclusion } from '../outcome.js';
import type { AnyHandler } from '../system.js';

export type Trained = Fact<'training.completed'>;

/** Errors: `completed` rejects with a TerminalError that says why the training, or its dataset, failed. */
export function awaitTraining(model: Ref): Conclusion<Trained> {
  let resolve!: (value: Trained) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<Trained>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  // The caller may be busy elsewhere when it fails.
  promise.catch(() => undefined);
  const handler = defineHandler(VOCABULARY, {
    name: 'cli-training',
    consumes: ['training.completed', 'training.failed', 'dataset.failed'],
    publishes: [],
    concurrency: 1,
    ackWaitMs: 30_000,
    attemptLimitMs: 30_000,
    maxDeliver: 1,
    handle(event) {
      if (event.type === 'dataset.failed') reject(new TerminalError(event.data.reason));
      else if (formatRef(event.data.request.model) === formatRef(model)) {
        if (event.type === 'training.completed') resolve(event.data);
        else reject(new TerminalError(event.data.reason));
      }
      return Promise.resolve([]);
    },
  });
  return { handler: handler as AnyHandler, completed: promise };
}
