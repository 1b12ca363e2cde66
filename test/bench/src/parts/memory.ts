/**
 * How much memory does an attack take? A whole one as the attacks service runs it, in a process of its own: images decoded,
 * sessions opened, PGD, scores of what it made, images encoded. The operating system counts the peak.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { decider } from '../attack/task.js';
import type { Part } from '../frame/part.js';
import type { ReferenceNetwork } from '../peers/networks.js';

const NETWORK = 'resnet18-224';
const BATCH = 16;
const STEPS = 10;
/** For each attack that runs at the same time. */
const MOST_MIB = 1536;

const Alone = z.object({ peakMiB: z.number(), stepMs: z.number() });

const CASES: ReadonlyMap<string, number> = new Map(
  [1, 2].map((attacks) => [`${NETWORK}/${attacks}`, attacks]),
);

async function attack(network: ReferenceNetwork, attacks: number): Promise<z.infer<typeof Alone>> {
  const folder = await mkdtemp(join(tmpdir(), 'facet-bench-'));
  try {
    const file = join(folder, 'model.onnx');
    await writeFile(file, decider(await readFile(network.file('onnx'))));
    const script = fileURLToPath(new URL('../attack/alone.js', import.meta.url));
    const given = [file, network.shape[2], BATCH, STEPS, attacks].map(String);
    const { stdout } = await promisify(execFile)(process.execPath, [script, ...given]);
    return Alone.parse(JSON.parse(stdout));
  } finally {
    await rm(folder, { recursive: true });
  }
}

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
    const { peakMiB, stepMs } = await attack(network, attacks);
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
