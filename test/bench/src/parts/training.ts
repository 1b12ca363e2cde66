/**
 * What does a training step cost, and is it right? A step is forward, losses, gradients of all weights and the update, from
 * pixels to the next weights, through the engine's trainer as anybody uses it; beside it PyTorch on the same graph, weights
 * and batch, in turns in one run. On two cores we are two worker threads with half of the batch each (and its own batch
 * statistics, as in data-parallel training), PyTorch is one process of two threads with the whole batch. And what do attacks
 * before the step cost, beside the step alone?
 */
import { availableParallelism } from 'node:os';
import { SMALL_BACKBONES } from '@facet/contracts';
import { compileTraining } from '@facet/onnx';
import { HOW_TO_BUILD } from '@facet/tensorflow-addon';
import type { Finding } from '../frame/findings.js';
import { compared, interleave } from '../frame/interleave.js';
import type { Part } from '../frame/part.js';
import type { Peers } from '../peers/peers.js';
import { Adversarial } from '../training/adversarial.js';
import { Native } from '../training/native.js';
import { Ours } from '../training/ours.js';
import { type Course, PyTorch } from '../training/pytorch.js';
import { BATCH, type NetworkName, trainingTask, type TrainingTask } from '../training/task.js';

/** By cores: to PyTorch's plain training step. */
const TARGETS: Readonly<Record<number, number>> = { 1: 1.05, 2: 0.85 };
const TIMED: readonly NetworkName[] = ['four-blocks', ...SMALL_BACKBONES];
/** With attacks before the step. */
const INNER = ['resnet-small'] as const;

/** Steps over which both sides must train alike before they are timed. */
const STEPS_BEFORE = 3;
const STEPS = 20;
/** Of a loss in the first steps, to PyTorch's. */
const MOST_FIRST_ERROR = 1e-3;
/** Of any loss, to PyTorch's in float64. */
const MOST_LOSS_ERROR = 2e-3;
/** Of the length of the error of all weights and moments to the length of the way that they have come. */
const MOST_WEIGHT_ERROR = 1e-2;

/** A network may amplify rounding: then what counts is how far PyTorch's own float32 is away, times this. */
const OF_FLOAT32 = 2;

const length = (values: Float64Array): number => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0));

interface Difference {
  readonly lossError: number;
  readonly weightError: number;
}

/** How far one training went astray from another, relative to the losses and to the way of the weights. */
function difference(found: Course, exact: Course, from: Float64Array): Difference {
  const losses = exact.losses.flatMap((step, i) =>
    Object.entries(step).map(([name, loss]) => Math.abs(found.losses[i][name] - loss) / Math.abs(loss)),
  );
  const error = length(exact.trained.map((value, i) => found.trained[i] - value));
  const way = length(exact.trained.map((value, i) => value - from[i]));
  return { lossError: Math.max(...losses), weightError: error / way };
}

function initial({ model, spec }: TrainingTask): Float64Array {
  const { weights, moments } = compileTraining(model, spec);
  const tensors = [...weights, ...moments].map(({ name }) => model.graph.initializers.get(name)!);
  return Float64Array.from(tensors.flatMap(({ data }) => [...(data as Float32Array)]));
}

async function* check(name: NetworkName, peers: Peers): AsyncGenerator<Finding> {
  const task = trainingTask(name);
  const cores = Math.min(2, availableParallelism());
  const peer = await PyTorch.open(peers, task, cores, STEPS);
  const ours = new Ours(task, cores, 2);
  try {
    const exact = await peer.train(STEPS, 2, 'float64');
    const start = initial(task);
    const { lossError, weightError } = difference(await ours.train(STEPS), exact, start);
    const theirs = difference(await peer.train(STEPS, 2, 'float32'), exact, start);
    const problems = [
      lossError <= Math.max(MOST_LOSS_ERROR, OF_FLOAT32 * theirs.lossError)
        ? []
        : [`a loss differs by ${lossError}`],
      weightError <= Math.max(MOST_WEIGHT_ERROR, OF_FLOAT32 * theirs.weightError)
        ? []
        : [`weights differ by ${weightError} of their way`],
    ].flat();
    yield {
      check: {
        subject: `${STEPS} steps against PyTorch in float64`,
        passed: problems.length === 0,
        figures: {
          lossError,
          weightError,
          pytorchFloat32LossError: theirs.lossError,
          pytorchFloat32WeightError: theirs.weightError,
        },
        ...(problems.length > 0 && { problem: problems.join(', ') }),
      },
    };
  } finally {
    await ours.close();
    await peer.close();
  }
}

async function expectSameWork(
  contenders: readonly { train(steps: number): Promise<Course> }[],
  peer: PyTorch,
  cores: number,
  task: TrainingTask,
): Promise<void> {
  const exact = await peer.train(STEPS_BEFORE, cores, 'float32');
  for (const one of contenders) {
    const { lossError } = difference(await one.train(STEPS_BEFORE), exact, initial(task));
    if (!(lossError <= MOST_FIRST_ERROR))
      throw new Error(`losses differ by ${lossError} from PyTorch's: they do not do the same work`);
  }
}

async function* measure(name: NetworkName, cores: number, peers: Peers): AsyncGenerator<Finding> {
  const task = trainingTask(name);
  const peer = await PyTorch.open(peers, task, cores, STEPS_BEFORE);
  const ours = new Ours(task, cores);
  const native = Native.open(name, cores);
  try {
    await expectSameWork(native ? [ours, native] : [ours], peer, cores, task);
    const timings = await interleave<string>({
      ours: () => ours.time(),
      plain: () => peer.time('plain'),
      tuned: () => peer.time('tuned'),
      ...(native && { native: () => native.time() }),
    });
    const subject = ['training step', timings.ours] as const;
    const figures = { imagesPerSecond: (1000 * BATCH) / timings.ours.medianMs };
    yield compared({ subject, baseline: ['PyTorch', timings.plain], target: TARGETS[cores], figures });
    yield compared({ subject, baseline: ['PyTorch, channels_last', timings.tuned] });
    if (native) yield compared({ subject, baseline: ['TensorFlow.js, native', timings.native] });
    else yield { skip: { reason: `TensorFlow.js's native addon is not there; ${HOW_TO_BUILD}` } };
  } finally {
    await native?.close();
    await ours.close();
    await peer.close();
  }
}

/** Steps of PGD in the dearest recipe, by which one of them is told from the rest. */
const PGD_STEPS = 5;

/** What an attack before the step costs, beside the step alone. */
async function* measureInner(name: (typeof SMALL_BACKBONES)[number], cores: number): AsyncGenerator<Finding> {
  const ours = await Adversarial.open(name, cores);
  try {
    const timings = await interleave({
      clean: () => ours.clean(),
      fast: () => ours.attacked('fast'),
      pgd: () => ours.attacked('pgd-5'),
      sfa: () => ours.attacked('fast, SFA'),
    });
    const baseline = ['clean step', timings.clean] as const;
    const innerStepMs = (timings.pgd.medianMs - timings.fast.medianMs) / (PGD_STEPS - 1);
    yield compared({ subject: ['adversarial step, fast', timings.fast], baseline });
    yield compared({
      subject: [`adversarial step, PGD-${PGD_STEPS}`, timings.pgd],
      baseline,
      figures: { innerStepMs, innerStepOfCleanStep: innerStepMs / timings.clean.medianMs },
    });
    yield compared({ subject: ['adversarial step, fast through SFA', timings.sfa], baseline });
  } finally {
    await ours.close();
  }
}

interface Case {
  readonly cores: number;
  run(peers: Peers): AsyncGenerator<Finding>;
}

const CASES: ReadonlyMap<string, Case> = new Map([
  ...SMALL_BACKBONES.map((name): [string, Case] => [
    `steps/${name}`,
    { cores: 1, run: (peers) => check(name, peers) },
  ]),
  ...INNER.flatMap((name) =>
    [1, 2].map((cores): [string, Case] => [
      `inner/${name}/${cores}`,
      { cores, run: () => measureInner(name, cores) },
    ]),
  ),
  ...TIMED.flatMap((name) =>
    [1, 2].map((cores): [string, Case] => [
      `${name}/${cores}`,
      { cores, run: (peers) => measure(name, cores, peers) },
    ]),
  ),
]);

export const training: Part = {
  name: 'training',
  about: `${STEPS} training steps against PyTorch in float64; and what a step costs beside it: steps/NETWORK, NETWORK/CORES; and with attacks before it: inner/NETWORK/CORES`,
  cases: [...CASES.keys()],
  async *run(name, { peers }) {
    const { cores, run } = CASES.get(name)!;
    if (cores > availableParallelism())
      yield { skip: { reason: `needs ${cores} cores; this machine has ${availableParallelism()}` } };
    else yield* run(peers);
  },
};
