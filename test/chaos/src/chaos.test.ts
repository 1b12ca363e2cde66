/** The short form of `npm run test:chaos`: a few of each disturbance, on a small network. */
import { programsFound } from '@facet/local';
import { afterAll, describe, expect, it } from 'vitest';
import { runChaos } from './chaos.js';
import { hurry, openSubject, SHARDS } from './small.fixture.js';
import { undisturbed } from './subject.js';

const DISTURBANCES = { kills: 8, brokerRestarts: 2, storeOutages: 1, outageMs: 3_000 };

describe.skipIf(!programsFound('nats-server', 'minio', 'mc'))('chaos', () => {
  const closers: (() => Promise<unknown>)[] = [];
  afterAll(() => Promise.all(closers.map((close) => close())));

  it('changes no byte of the report: services killed, servers taken away, every message twice', async () => {
    const { subject, close } = await openSubject();
    closers.push(close);
    const reference = await undisturbed(subject);
    const said: string[] = [];
    const result = await runChaos({
      subject,
      reference,
      disturbances: DISTURBANCES,
      planted: 1,
      seed: 1,
      limitMs: 400_000,
      prepare: (connections) => hurry(connections, 4_000),
      say: (line) => said.push(line),
    }).catch((error: unknown) => {
      throw new Error(said.slice(-50).join('\n'), { cause: error });
    });
    const { kills, brokerRestarts, storeOutages } = DISTURBANCES;
    const wanted = { shards: SHARDS, kills, brokerRestarts, storeOutages, lost: 0, doubled: 0 };
    // A whole result: what expect says of it leaves most of it out.
    expect(result, `${JSON.stringify(result)}\n${said.slice(-50).join('\n')}`).toMatchObject({
      ...wanted,
      deadLetters: 1,
      planted: 1,
      followed: true,
      identical: true,
    });
    expect(result.duplicates).toBeGreaterThanOrEqual(2 * SHARDS);
  }, 500_000);
});
