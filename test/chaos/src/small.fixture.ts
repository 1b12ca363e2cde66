/** A small network, dataset and plan, and a bus that does not wait long for workers that were killed. */
import { connectNats } from '@facet/bus';
import { EvaluationPlan } from '@facet/contracts';
import { type Connections, natsOptions } from '@facet/runtime';
import { openWorld } from '@facet/world';
import { jetstreamManager } from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';

export const plan = EvaluationPlan.parse({
  schema: 'facet.plan/v1',
  name: 'chaos',
  seed: 5,
  samples: 12,
  batch: 2,
  shard: 2,
  priorSamples: 60,
  attacks: [
    {
      objectives: ['direct', 'facet', 'sfa'],
      searches: [{ name: 'pgd', steps: 2 }],
      threats: [{ norm: 'linf', epsilon: '4/255' }],
    },
  ],
});
/** The decision, and two objectives of five facets. */
export const CELLS = 11;
export const SHARDS = CELLS * 6;

export async function openSubject() {
  const { store, model, dataset, close } = await openWorld({ train: 60, dev: 16, test: 12 });
  return { subject: { store, model, dataset, plan }, close };
}

/**
 * What a killed worker held comes again after so long, instead of half a minute: these shards are small. Before services
 * begin, so that they beat as often as that takes.
 */
export async function hurry(connections: Connections, ackWaitMs: number): Promise<void> {
  const connection = await connectNats(natsOptions('chaos', connections));
  const jsm = await jetstreamManager(connection);
  for (const stream of ['FACET_EVENTS', 'FACET_JOBS'])
    for await (const { name } of jsm.consumers.list(stream))
      await jsm.consumers.update(stream, name, { ack_wait: nanos(ackWaitMs) });
  await connection.close();
}
