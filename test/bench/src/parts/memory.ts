/**
 * How much memory does an attack take? A whole one as the attacks service runs it, in a process of its own: images decoded,
 * sessions opened, PGD, scores of what it made, images encoded. The operating system counts the peak.
 */
import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { Part } from '../frame/part.js';

const NETWORK = 'resnet18-224';
const BATCH = 16;
const STEPS = 10;
/** For each attack that runs at the same time. */
const MOST_MIB = 1536;

const Alone = z.object({ peakMiB: z.number(), stepMs: z.number() });

const CASES: ReadonlyMap<string, number> = new Map(
  [1, 2].map((attacks) => [`${NETWORK}/${attacks}`, attacks]),
);

export const memory: Part = {
  name: 'memory',
  about: `peak resident memory of PGD-${STEPS} on ${NETWORK}, batch ${BATCH}; NETWORK-SIZE/ATTACKS AT ONCE`,
  cases: [...CASES.keys()],
  async *run(name, { peers }) {
    const attacks = CASES.get(name)!;
    const mostMiB = attacks * MOST_MIB;
    if (attacks > availableParallelism()) {
      yield { skip: { reason: `needs ${attacks} cores; this machine has ${availableParallelism()}` } };
      return;
    }
    const network = await peers.network(NETWORK);
    const script = fileURLToPath(new URL('../attack/alone.js', import.meta.url));
    const given = [network.file('onnx'), network.shape[2], BATCH, STEPS, attacks].map(String);
    const { stdout } = await promisify(execFile)(process.execPath, [script, ...given]);
    const { peakMiB, stepMs } = Alone.parse(JSON.parse(stdout));
    yield {
      check: {
        subject: attacks === 1 ? 'one attack' : `${attacks} attacks at once`,
        passed: peakMiB <= mostMiB,
        figures: { peakMiB, mostMiB, stepMs },
        ...(peakMiB > mostMiB && { problem: `takes more than ${mostMiB} MiB` }),
      },
    };
  },
};
