/**
 * Runs attacks in a process of their own, whose memory is then theirs alone: `node alone.js FILE SIDE BATCH STEPS ATTACKS`.
 * So many attacks run at once, each on a worker thread. The last line of standard output is an `Alone` as JSON.
 */
import { Engine } from '@facet/engine';
import { attackTask } from './task.js';

/** What the process says at its end. */
export interface Alone {
  /** Peak resident memory of the whole process, as the operating system counted it. */
  readonly peakMiB: number;
  /** Median over the steps of the first attack. */
  readonly stepMs: number;
}

const [file, ...rest] = process.argv.slice(2);
const [side, batch, steps, attacks] = rest.map(Number);
const engine = new Engine({ threads: attacks });
const times: number[] = [];
try {
  await Promise.all(
    Array.from({ length: attacks }, async (_, index) =>
      engine.attack(await attackTask(file, { side, batch, steps, seed: index + 1 }), {
        onStep: () => {
          if (index === 0) times.push(performance.now());
        },
      }),
    ),
  );
} finally {
  await engine.close();
}
const lengths = times.slice(1).map((time, i) => time - times[i]);
const alone: Alone = {
  peakMiB: process.resourceUsage().maxRSS / 1024,
  stepMs: lengths.sort((a, b) => a - b)[lengths.length >> 1],
};
console.log(JSON.stringify(alone));
