/**
 * A job that kills whoever takes it, as a model may that crashes its runtime: it is given up, and holds up nobody. What becomes
 * of its evaluation is the plan's to say.
 */
import { NatsBus, type PlacedMessage } from '@facet/bus';
import { Dataset, loadPlan, saveStanding, shardIndices } from '@facet/catalog';
import { startCluster } from '@facet/cli';
import { keys, Report, STREAMS } from '@facet/contracts';
import { programsFound } from '@facet/local';
import {
  connectStore,
  decodeDeadLetter,
  decodeEvent,
  natsOptions,
  type ReceivedEvent,
  VOCABULARY,
} from '@facet/runtime';
import { readJson } from '@facet/store';
import { afterAll, describe, expect, it } from 'vitest';
import { POISONED } from './poison.js';
import { CELLS, hurry, openSubject, plan, SHARDS } from './small.fixture.js';
import { copyInputs, publication, standing } from './subject.js';

const SHARD = 1;
const ACK_WAIT_MS = 4_000;
const LIMIT_MS = 400_000;

type Ended = ReceivedEvent<typeof VOCABULARY, 'evaluation.completed' | 'evaluation.failed'>;

describe.skipIf(!programsFound('nats-server', 'minio', 'mc'))('a job that kills its worker', () => {
  const closers: (() => unknown)[] = [];
  afterAll(async () => {
    for (const close of closers.reverse()) await close();
  });

  it('ends in the dead letters after its attempts, and its evaluation as its plan says when all else is done', async () => {
    const { subject, close } = await openSubject();
    closers.push(close);
    const dataset = await Dataset.open(subject.store, subject.dataset);
    const [sample] = await dataset.at('test', shardIndices(plan, dataset.count('test'), SHARD));
    const said: string[] = [];
    const cluster = await startCluster({
      processes: { attacks: 2 },
      between: async (addresses, connections) => {
        await hurry(connections, ACK_WAIT_MS);
        return addresses;
      },
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
    await copyInputs(subject.store, store);
    const { facet, objective } = POISONED;
    const [group] = plan.attacks;
    // As few cells as show it: the poisoned one and another.
    const attacks = [{ ...group, facets: ['live', facet], objectives: ['direct' as const, objective] }];
    const marking = { ...subject, plan: { ...plan, name: 'marking', failedCells: 'mark' as const, attacks } };
    for (const one of [subject, marking])
      await saveStanding(store, { ...standing(one), name: one.plan.name });
    const signal = AbortSignal.timeout(LIMIT_MS);
    const facts = bus.follow('FACET_EVENTS', { after: 0 }, signal);
    await bus.publish(await publication(subject));
    const ends = await endsOf(facts, 2).catch((error: unknown) => {
      throw new Error(said.slice(-50).join('\n'), { cause: error });
    });
    const failed = ends.find(({ type }) => type === 'evaluation.failed')!;
    const completed = ends.find(({ type }) => type === 'evaluation.completed')!;
    const { evaluation } = failed.data;
    const { cells } = await loadPlan(store, evaluation);
    const { id } = cells.find((c) => c.facet === facet && c.objective === objective)!;
    expect(failed.data).toMatchObject({
      reasons: [expect.stringContaining(`${id}, shard ${SHARD}: no attempt came to its end`)],
    });

    const { evaluation: marked } = completed.data;
    const key = keys.evaluation.report(marked, 'json');
    const report = (await readJson(store, key, (value) => Report.parse(value)))!;
    expect(report.failedCells).toMatchObject([
      { id, shards: 1, reason: expect.stringContaining('no attempt came to its end') },
    ]);
    expect(report.cells.map((cell) => cell.facet)).toEqual(['live']);

    const letters = (await bus.read('FACET_DLQ', { after: 0, limit: 10 })).map(({ message }) =>
      decodeDeadLetter(message),
    );
    expect(letters).toHaveLength(2);
    for (const letter of letters)
      expect(letter).toMatchObject({ handler: 'attacks', reason: 'died', attempts: 7 });
    for (const [one, shards] of [
      [evaluation, SHARDS],
      [marked, (SHARDS / CELLS) * 2],
    ] as const) {
      let finished = 0;
      for await (const object of store.list(keys.evaluation.cells(one)))
        if (object.key.endsWith('.parquet')) finished++;
      expect(finished).toBe(shards - 1);
      expect(await store.get(keys.evaluation.outcomes(one, id, SHARD))).toBeUndefined();
    }
  }, 450_000);
});

/** The facts by which the first `count` evaluations end. */
async function endsOf(facts: AsyncGenerator<PlacedMessage>, count: number) {
  const ends = new Map<string, Ended>();
  for await (const { message } of facts) {
    const event = decodeEvent(VOCABULARY, message);
    if (event.type === 'evaluation.completed' || event.type === 'evaluation.failed')
      ends.set(event.data.evaluation, event);
    if (ends.size === count) return [...ends.values()];
  }
  throw new Error(`${ends.size} of ${count} evaluations ended`);
}
