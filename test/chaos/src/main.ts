/** `npm run test:chaos -- --json FILE`: the whole of it, on the demo's quick model and dataset. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { demo } from '@facet/cli';
import { preset } from '@facet/plans';
import { packageVersion } from '@facet/runtime';
import { FolderStore } from '@facet/store';
import { runChaos } from './chaos.js';
import { undisturbed } from './subject.js';

const { values } = parseArgs({
  options: {
    json: { type: 'string' },
    seed: { type: 'string', default: '0' },
    kills: { type: 'string', default: '100' },
    verbose: { type: 'boolean', default: false },
  },
});

const DEMO_SEED = 0;
const LIMIT_MS = 30 * 60_000;
const DISTURBANCES = { kills: Number(values.kills), brokerRestarts: 20, storeOutages: 5, outageMs: 10_000 };

const say = (line: string): void => {
  if (values.verbose) process.stderr.write(`${line}\n`);
};

const out = await mkdtemp(join(tmpdir(), 'facet-chaos-'));
try {
  await demo({ out, seed: DEMO_SEED, quick: true, version: packageVersion(import.meta.url) });
  const subject = {
    store: await FolderStore.open(join(out, 'store')),
    model: { name: 'demo', version: `quick-seed-${DEMO_SEED}` },
    dataset: { name: 'synthetic-faces', version: `quick-seed-${DEMO_SEED}` },
    plan: { ...preset('quick', DEMO_SEED), name: 'chaos', samples: 40, shard: 2, batch: 2 },
  };
  const reference = await undisturbed(subject);
  const result = await runChaos({
    subject,
    reference,
    disturbances: DISTURBANCES,
    planted: 3,
    seed: Number(values.seed),
    limitMs: LIMIT_MS,
    say,
    onProgress: (line) => process.stderr.write(`${line}\n`),
  });
  const text = `${JSON.stringify(result, null, 2)}\n`;
  process.stdout.write(text);
  if (values.json !== undefined) await writeFile(values.json, text);
  const { shards, kills, lost, doubled, deadLetters, planted, followed, identical } = result;
  const held =
    shards >= 500 &&
    kills >= DISTURBANCES.kills &&
    lost === 0 &&
    doubled === 0 &&
    deadLetters === planted &&
    followed &&
    identical;
  process.stdout.write(held ? 'Nothing was lost, nothing doubled.\n' : 'FAILED\n');
  if (!held) process.exitCode = 1;
} finally {
  await rm(out, { recursive: true, force: true });
}
