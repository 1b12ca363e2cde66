/** Takes attack jobs, as many at a time as there are worker threads. */
import { defineHandler, VOCABULARY } from '@facet/runtime';
import { type AttackDependencies, runAttack, Sources } from './run.js';

const ATTEMPT_LIMIT_MS = 6 * 3_600_000;

export function attacksHandler(dependencies: AttackDependencies) {
  const sources = new Sources(dependencies.store);
  return defineHandler(VOCABULARY, {
    name: 'attacks',
    consumes: ['attacks'],
    pool: 'cpu',
    // One more than threads, so that the next shard is read while these compute.
    concurrency: dependencies.engine.threads + 1,
    ackWaitMs: 30_000,
    attemptLimitMs: ATTEMPT_LIMIT_MS,
    maxDeliver: 4,
    async handle({ data: job }, { signal }) {
      const { evaluation, cell, shard } = job;
      await runAttack(dependencies, sources, job, signal);
      return [{ type: 'attack.completed', subject: evaluation, data: { evaluation, cell: cell.id, shard } }];
    },
    onGivenUp: ({ data: { evaluation, cell, shard } }, { message }) => [
      {
        type: 'attack.failed',
        subject: evaluation,
        data: { evaluation, cell: cell.id, shard, reason: message },
      },
    ],
  });
}
