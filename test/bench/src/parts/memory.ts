/**
 * How much memory do an attack, a training and the features of a wide embedding take? A whole attack as the attacks service
 * runs it: images decoded, sessions opened, PGD, scores of what it made, images encoded; training steps of the small backbones
 * with every facet; priors and probes as the features service fits them. Each in a process of its own, whose peak the operating
 * system counts.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { SMALL_BACKBONES } from '@facet/contracts';
import { z } from 'zod';
import { decider, probedResNet } from '../attack/task.js';
import { withModel } from '../evaluation/subject.js';
import type { Part } from '../frame/part.js';
import type { Peers } from '../peers/peers.js';
import { BATCH as TRAINING_BATCH } from '../training/task.js';

const ATTACKED = 'resnet18-224';
const BATCH = 16;
const ATTACK_STEPS = 10;
const TRAINING_STEPS = 20;
/** With an embedding of 2,048 values. */
const DESCRIBED = 'resnet50-112';
const PRIOR_SAMPLES = 1_000;
/** For each attack that runs at the same time. */
const MOST_ATTACK_MIB = 1536;
/** For each worker that trains. */
const MOST_TRAINING_MIB = 768;
/** What a pod of the features service may take. */
const MOST_FEATURES_MIB = 4096;

const Alone = z.object({ peakMiB: z.number(), stepMs: z.number() });
type Alone = z.infer<typeof Alone>;

interface Case {
  readonly subject: string;
  readonly cores: number;
  readonly mostMiB: number;
  /** Images of a step, of all attacks. */
  readonly batch: number;
  run(peers: Peers, log: (line: string) => void): Promise<Alone>;
}

/** Runs a script of the bench in a process of its own. */
async function alone(script: string, ...given: readonly (string | number)[]): Promise<Alone> {
  const file = fileURLToPath(new URL(script, import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [file, ...given.map(String)]);
  return Alone.parse(JSON.parse(stdout));
}

async function attack(peers: Peers, attacks: number): Promise<Alone> {
  const network = await peers.network(ATTACKED);
  const folder = await mkdtemp(join(tmpdir(), 'facet-bench-'));
  try {
    const file = join(folder, 'model.onnx');
    await writeFile(file, decider(await readFile(network.file('onnx'))));
    return await alone('../attack/alone.js', file, network.shape[2], BATCH, ATTACK_STEPS, attacks);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function features(peers: Peers, threads: number, log: (line: string) => void): Promise<Alone> {
  const network = await probedResNet(peers, DESCRIBED);
  const size = { samples: 1, priorSamples: PRIOR_SAMPLES };
  return withModel(network, size, log, ({ model, dataset }, folder) =>
    alone('../features/alone.js', folder, model.name, dataset.name, PRIOR_SAMPLES, threads),
  );
}

const CASES: ReadonlyMap<string, Case> = new Map([
  ...[1, 2].map((cores): [string, Case] => [
    `${ATTACKED}/${cores}`,
    {
      subject: cores === 1 ? 'one attack' : `${cores} attacks at once`,
      cores,
      mostMiB: cores * MOST_ATTACK_MIB,
      batch: cores * BATCH,
      run: (peers) => attack(peers, cores),
    },
  ]),
  [
    `features-${DESCRIBED}/2`,
    {
      subject: 'features and probes',
      cores: 2,
      mostMiB: MOST_FEATURES_MIB,
      batch: PRIOR_SAMPLES,
      run: (peers, log) => features(peers, 2, log),
    },
  ],
  ...SMALL_BACKBONES.flatMap((name) =>
    [1, 2].map((cores): [string, Case] => [
      `training-${name}/${cores}`,
      {
        subject: cores === 1 ? 'training on one worker' : `training on ${cores} workers`,
        cores,
        mostMiB: cores * MOST_TRAINING_MIB,
        batch: TRAINING_BATCH,
        run: () => alone('../training/alone.js', name, cores, TRAINING_STEPS),
      },
    ]),
  ),
]);

export const memory: Part = {
  name: 'memory',
  about:
    `peak resident memory of PGD-${ATTACK_STEPS} on ${ATTACKED}, batch ${BATCH}: NETWORK-SIZE/ATTACKS AT ONCE; of ` +
    `training, batch ${TRAINING_BATCH}: training-NETWORK/WORKERS; and of the features of ${DESCRIBED} with three probes`,
  cases: [...CASES.keys()],
  async *run(name, { peers, log }) {
    const { subject, cores, mostMiB, batch, run } = CASES.get(name)!;
    if (cores > availableParallelism()) {
      yield { skip: { reason: `needs ${cores} cores; this machine has ${availableParallelism()}` } };
      return;
    }
    const { peakMiB, stepMs } = await run(peers, log);
    const imagesPerSecond = (1000 * batch) / stepMs;
    yield {
      check: {
        subject,
        passed: peakMiB <= mostMiB,
        figures: { peakMiB, mostMiB, stepMs, imagesPerSecond },
        ...(peakMiB > mostMiB && { problem: `takes more than ${mostMiB} MiB` }),
      },
    };
  },
};
