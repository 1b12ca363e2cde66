/**
 * One evaluation in separate processes while everything around it fails, and what became of it: whether every shard has
 * its outcomes, once, whether the report has the bytes of a run that nobody disturbed, and what was given up.
 */
import { NatsBus, connectNats } from '@facet/bus';
import { loadPlan, readOutcomes, saveStanding } from '@facet/catalog';
import { startCluster } from '@facet/cli';
import { type DeadLetter, keys, STREAMS } from '@facet/contracts';
import { TcpProxy } from '@facet/local';
import { Random } from '@facet/random';
import { connectStore, type Connections, decodeDeadLetter, natsOptions } from '@facet/runtime';
import type { ObjectStore } from '@facet/store';
import { Disturber, type Disturbances } from './disturb.js';
import { Doubler, ONCE } from './doubler.js';
import { Follower } from './follower.js';
import { copyInputs, publication, standing, type Subject, type Undisturbed } from './subject.js';
import { Watch } from './watch.js';

export interface ChaosResult {
  readonly shards: number;
  readonly kills: number;
  readonly brokerRestarts: number;
  readonly storeOutages: number;
  /** Messages that were published a second time. */
  readonly duplicates: number;
  /** Times that all connections to a server were cut. */
  readonly cuts: number;
  /** Shards without outcomes. */
  readonly lost: number;
  /** Samples that a cell counts more than once. */
  readonly doubled: number;
  readonly deadLetters: number;
  /** Messages that nobody can read, sent on purpose: each must become a dead letter, and nothing else. */
  readonly planted: number;
  /** Whether who followed it through the gateways, from one broken connection to the next, was told its end, no event twice. */
  readonly followed: boolean;
  /** Whether the report has the bytes of the undisturbed one. */
  readonly identical: boolean;
  readonly seconds: number;
}

export interface ChaosOptions {
  readonly subject: Subject;
  readonly reference: Undisturbed;
  readonly disturbances: Disturbances;
  readonly planted: number;
  readonly seed: number;
  /** Longer than this, the evaluation counts as hanging. */
  readonly limitMs: number;
  /** Runs before any service begins, for what differs between tests. */
  readonly prepare?: (connections: Connections) => Promise<void>;
  /** Gets everything that services and servers say. */
  readonly say: (line: string) => void;
  /** How far it is, every few seconds. */
  readonly onProgress?: (line: string) => void;
}

const PROGRESS_MS = 10_000;
/** Of the end: a gateway that was just killed has to come back first. */
const HEARD_WITHIN_MS = 60_000;
const PROCESSES = { attacks: 2, gateway: 2 };

export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { subject, reference, disturbances, planted, seed, limitMs, prepare, say, onProgress } = options;
  const proxies: TcpProxy[] = [];
  const through = async (url: string): Promise<string> => {
    const { protocol, port } = new URL(url);
    const proxy = await TcpProxy.start(Number(port));
    proxies.push(proxy);
    return `${protocol}//127.0.0.1:${proxy.port}`;
  };
  const cluster = await startCluster({
    processes: PROCESSES,
    env: { FACET_THREADS: '1', FACET_LOG_LEVEL: 'warn' },
    between: async ({ nats, s3 }, connections) => {
      await prepare?.(connections);
      return { nats: await through(nats), s3: await through(s3) };
    },
    say,
    onLog: (service, line) => say(`${service} ${line.slice(0, 300)}`),
  });
  const { connections } = cluster;
  const store = connectStore(connections);
  const bus = await NatsBus.connect(natsOptions('chaos', connections), STREAMS);
  const tap = await connectNats(natsOptions('chaos-tap', connections));
  const stopping = new AbortController();
  const leaving = new AbortController();
  const { signal } = stopping;
  try {
    await copyInputs(subject.store, store);
    await saveStanding(store, standing(subject));
    const doubler = new Doubler(bus, signal);
    doubler.jobs(tap);
    const watch = new Watch(bus, signal, reference.evaluation);
    const disturber = new Disturber(cluster, proxies, watch, new Random(seed, 'chaos'));
    const startedAt = Date.now();
    for (let i = 0; i < planted; i++)
      await bus.publish({
        id: `planted-${i}`,
        subject: 'facet.jobs.attacks.cpu',
        headers: ONCE,
        data: new TextEncoder().encode('not a job'),
      });
    await bus.publish(await publication(subject));
    const ended = within(limitMs, watch.ended, () => `${watch.done} of ${watch.planned} shards ended`);
    const follower = new Follower();
    const following = follower.follow(cluster, reference.evaluation, leaving.signal);
    const background = [doubler.facts(), disturber.run(disturbances, signal), disturber.cut(signal)];
    // An error of theirs is ours; their end is not.
    const broken = Promise.all(background).then(() => new Promise<never>(() => undefined));
    const telling = setInterval(() => {
      const { kill, broker, store: outages } = disturber.done;
      const where = `${watch.done} of ${watch.planned} shards, ${doubler.count} messages doubled`;
      onProgress?.(`${where}, ${kill} kills, ${broker} broker restarts, ${outages} store outages`);
    }, PROGRESS_MS);
    const end = await Promise.race([ended, broken]).finally(() => clearInterval(telling));
    const seconds = (Date.now() - startedAt) / 1000;
    stopping.abort();
    await Promise.all(background);
    if (end.state === 'failed') throw new Error(`the evaluation failed: ${end.fact.reasons.join('; ')}`);
    const grace = setTimeout(() => leaving.abort(), HEARD_WITHIN_MS);
    await following;
    clearTimeout(grace);
    say(`follower: ${JSON.stringify(follower)}`);
    const letters = await lettersOf(bus);
    for (const letter of letters)
      say(`dead letter of ${letter.handler}: ${letter.reason}, ${letter.errors[0].message}`);
    const found = await counted(store, end.fact.evaluation);
    const report = await (await store.get(end.fact.report))!.bytes();
    return {
      shards: found.shards,
      kills: disturber.done.kill,
      brokerRestarts: disturber.done.broker,
      storeOutages: disturber.done.store,
      duplicates: doubler.count,
      cuts: disturber.cuts,
      lost: found.lost,
      doubled: found.doubled,
      deadLetters: letters.length,
      planted,
      followed: follower.progress?.state === 'completed' && follower.repeated === 0,
      identical: Buffer.compare(report, reference.report) === 0,
      seconds,
    };
  } finally {
    stopping.abort();
    leaving.abort();
    await tap.close();
    await bus.close();
    store.close();
    await cluster.stop();
    for (const proxy of proxies) await proxy.close();
  }
}

/** What the store holds of the evaluation's shards, compared with its plan. */
async function counted(store: ObjectStore, evaluation: string) {
  const planned = await loadPlan(store, evaluation);
  let [lost, doubled] = [0, 0];
  for (const { id } of planned.cells) {
    const seen = new Set<string>();
    for (let shard = 0; shard < planned.shards; shard++) {
      const key = keys.evaluation.outcomes(evaluation, id, shard);
      const object = await store.get(key);
      if (object === undefined) {
        lost++;
        continue;
      }
      for (const { key: sample } of await readOutcomes(await object.bytes(), key)) {
        if (seen.has(sample)) doubled++;
        seen.add(sample);
      }
    }
  }
  return { shards: planned.cells.length * planned.shards, lost, doubled };
}

async function lettersOf(bus: NatsBus): Promise<DeadLetter[]> {
  const placed = await bus.read('FACET_DLQ', { after: 0, limit: 1000 });
  return placed.map(({ message }) => decodeDeadLetter(message));
}

function within<T>(limitMs: number, work: Promise<T>, where: () => string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not over after ${limitMs} ms: ${where()}`)), limitMs);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
