/** A job that kills whoever takes it, as a model may that crashes its runtime: it is given up, and holds up nobody. */
import { NatsBus } from '@facet/bus';
import { Dataset, loadPlan, saveStanding, shardIndices } from '@facet/catalog';
import { startCluster } from '@facet/cli';
import { keys, STREAMS } from '@facet/contracts';
import { programsFound } from '@facet/local';
import { connectStore, decodeDeadLetter, natsOptions } from '@facet/runtime';
import { afterAll, describe, expect, it } from 'vitest';
import { POISONED } from './poison.js';
import { hurry, openSubject, plan, SHARDS } from './small.fixture.js';
import { copyInputs, publication, standing } from './subject.js';
import { Watch } from './watch.js';

const SHARD = 1;
const ACK_WAIT_MS = 1_500;

describe.skipIf(!programsFound('nats-server', 'minio', 'mc'))('a job that kills its worker', () => {
  const closers: (() => unknown)[] = [];
  afterAll(async () => {
    for (const close of closers.reverse()) await close();
  });

  it('ends in the dead letters after its attempts, and its evaluation fails with the reason when all else is done', async () => {
    const { subject, close } = await openSubject();
    closers.push(close);
    const dataset = await Dataset.open(subject.store, subject.dataset);
    const [sample] = await dataset.at('test', shardIndices(plan, dataset.count('test'), SHARD));
    const said: string[] = [];
    const cluster = await startCluster({
      processes: { attacks: 2 },
      env: {
        FACET_THREADS: '1',
        FACET_LOG_LEVEL: 'warn',
        FACET_CHAOS_POISON: sample.key,
        NODE_OPTIONS: `--import=${new URL('../out-tsc/poison.js', import.meta.url).href}`,
      },
      say: (line) => said.push(line),
      onLog: (service, line) => said.push(`${service} ${line}`),
    });
    closers.push(() => cluster.stop());
    const bus = await NatsBus.connect(natsOptions('chaos', cluster.connections), STREAMS);
    const store = connectStore(cluster.connections);
    closers.push(
      () => bus.close(),
      () => store.close(),
    );
    await hurry(cluster, ACK_WAIT_MS);
    await copyInputs(subject.store, store);
    await saveStanding(store, standing(subject));
    const watch = new Watch(bus, AbortSignal.timeout(200_000));
    await bus.publish(await publication(subject));
    const end = await watch.ended.catch((error: unknown) => {
      throw new Error(said.slice(-50).join('\n'), { cause: error });
    });
    const { evaluation } = end.fact;
    const { cells } = await loadPlan(store, evaluation);
    const { id } = cells.find((c) => c.facet === POISONED.facet && c.objective === POISONED.objective)!;
    expect(end).toMatchObject({
      state: 'failed',
      fact: { reasons: [expect.stringContaining(`${id}, shard ${SHARD}: no attempt came to its end`)] },
    });
    const [letter, ...others] = (await bus.read('FACET_DLQ', { after: 0, limit: 10 })).map(({ message }) =>
      decodeDeadLetter(message),
    );
    expect(others).toEqual([]);
    expect(letter).toMatchObject({ handler: 'attacks', reason: 'died', attempts: 7 });
    let finished = 0;
    for await (const { key } of store.list(keys.evaluation.cells(evaluation)))
      if (key.endsWith('.parquet')) finished++;
    expect(finished).toBe(SHARDS - 1);
    expect(await store.get(keys.evaluation.outcomes(evaluation, id, SHARD))).toBeUndefined();
  }, 240_000);
});
