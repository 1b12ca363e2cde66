/** Takes attack jobs, twice as many at a time as there are worker threads. */
import { isCancelled } from '@facet/catalog';
import { defineHandler, VOCABULARY } from '@facet/runtime';
import { ATTACKS } from './declaration.js';
import { type AttackDependencies, runAttack, Sources } from './run.js';

export function attacksHandler(dependencies: AttackDependencies) {
  const sources = new Sources(dependencies.store);
  return defineHandler(VOCABULARY, {
    ...ATTACKS,
    // Equal shards end together: what comes after them has been read by then, and waits while they are stored.
    concurrency: 2 * dependencies.engine.threads,
    async handle({ data: job }, { signal }) {
      const { evaluation, cell, shard } = job;
      if (await isCancelled(dependencies.store, evaluation)) return [];
      if (!(await runAttack(dependencies, sources, job, signal))) return [];
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
