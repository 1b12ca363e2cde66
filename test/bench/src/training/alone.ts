/**
 * Trains in a process of its own, whose memory is then its alone: `node alone.js NETWORK CORES STEPS`, as many parts of the
 * batch as worker threads. The last line of standard output is an `Alone` as JSON.
 */
import { median, type Sample } from '../frame/interleave.js';
import { Ours } from './ours.js';
import { type NetworkName, trainingTask } from './task.js';

/** What the process says at its end. */
export interface Alone {
  /** Peak resident memory of the whole process, as the operating system counted it. */
  readonly peakMiB: number;
  /** Median over the steps behind the first, which opens the sessions. */
  readonly stepMs: number;
}

const [name, ...rest] = process.argv.slice(2);
const [cores, steps] = rest.map(Number);
const ours = new Ours(trainingTask(name as NetworkName), cores);
const samples: Sample[] = [];
try {
  for (let step = 0; step < steps; step++) samples.push(await ours.time());
} finally {
  await ours.close();
}
const alone: Alone = {
  peakMiB: process.resourceUsage().maxRSS / 1024,
  stepMs: median(samples.slice(1).map(({ wallMs }) => wallMs)),
};
console.log(JSON.stringify(alone));
