/**
 * What does a gradient step cost? Ours, our own forward pass, and PyTorch's autograd, in turns in one run: plain, and tuned
 * as well as PyTorch lets one. On two cores we are two worker threads with half of the batch each, PyTorch is one process
 * of two threads with the whole batch.
 */
import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { Steps } from '../compute/steps.js';
import type { Finding } from '../frame/findings.js';
import { compared, interleave, type Sample, type Timing } from '../frame/interleave.js';
import type { Part } from '../frame/part.js';
import type { Conversation } from '../peers/conversation.js';
import { float32 } from '../peers/numbers.js';
import type { Peers } from '../peers/peers.js';

interface Targets {
  /** To PyTorch's plain autograd. */
  readonly plain: number;
  /** To PyTorch's tuned autograd. */
  readonly tuned?: number;
  /** To our own forward pass. */
  readonly forward?: number;
}

interface Case {
  readonly network: string;
  readonly batch: number;
  readonly cores: number;
  readonly targets: Targets;
}

const RESNET: Readonly<Record<number, Targets>> = {
  1: { plain: 0.8, forward: 2.3 },
  2: { plain: 0.62, tuned: 0.92 },
};
const OTHERS: Targets = { plain: 0.9 };

const NETWORKS: readonly (readonly [name: string, batch: number])[] = [
  ['resnet18-112', 16],
  ['resnet18-224', 8],
  ['mobilenetv2-224', 8],
  ['densenet121-224', 8],
  ['vgg16-224', 8],
  ['swin-t-224', 8],
];

const CASES: ReadonlyMap<string, Case> = new Map(
  NETWORKS.flatMap(([network, batch]) =>
    [1, 2].map((cores): [string, Case] => [
      `${network}/${cores}`,
      { network, batch, cores, targets: network.startsWith('resnet') ? RESNET[cores] : OTHERS },
    ]),
  ),
);

/** Two sides that compute the same give the same loss, up to the rounding of float32. */
const MOST_LOSS_ERROR = 1e-3;

const Answer = z.object({ wallMs: z.number(), cpuMs: z.number(), loss: z.number() });

async function ask(peer: Conversation, run: 'plain' | 'tuned' | 'forward') {
  return Answer.parse(await peer.ask({ run }));
}

async function expectSameWork(steps: Steps, peer: Conversation): Promise<void> {
  const { loss } = await ask(peer, 'plain');
  const others = {
    'our gradient': await steps.loss('gradient'),
    'our forward': await steps.loss('forward'),
    'PyTorch, tuned': (await ask(peer, 'tuned')).loss,
  };
  for (const [name, other] of Object.entries(others))
    if (!(Math.abs(other - loss) <= MOST_LOSS_ERROR * Math.abs(loss)))
      throw new Error(
        `the loss is ${loss} in PyTorch, but ${other} in ${name}: they do not do the same work`,
      );
}

type Timings = Readonly<Record<'gradient' | 'forward' | 'plain' | 'tuned' | 'plainForward', Timing>>;

function findings(timings: Timings, targets: Targets): Finding[] {
  const gradient = ['gradient step', timings.gradient] as const;
  const pair = (baseline: string, timing: Timing, target: number | undefined): Finding =>
    compared({
      subject: gradient,
      baseline: [baseline, timing],
      ...(target !== undefined && { target }),
    });
  return [
    pair('PyTorch autograd', timings.plain, targets.plain),
    pair('PyTorch autograd, tuned', timings.tuned, targets.tuned),
    pair('own forward', timings.forward, targets.forward),
    compared({
      subject: ['forward', timings.forward],
      baseline: ['PyTorch forward', timings.plainForward],
    }),
  ];
}

async function* measure(
  { network: name, batch, cores, targets }: Case,
  peers: Peers,
): AsyncGenerator<Finding> {
  const network = await peers.network(name);
  const input = await float32(network.file('input.f32'));
  const labels = network.labels.slice(0, batch);
  const peer = await peers.conversation('step.py', [name, `${batch}`, `${cores}`]);
  try {
    const steps = await Steps.open(network, input, labels, cores);
    try {
      await expectSameWork(steps, peer);
      const asked = (run: 'plain' | 'tuned' | 'forward') => (): Promise<Sample> => ask(peer, run);
      const timings = await interleave({
        gradient: () => steps.time('gradient'),
        plain: asked('plain'),
        forward: () => steps.time('forward'),
        plainForward: asked('forward'),
        tuned: asked('tuned'),
      });
      yield* findings(timings, targets);
    } finally {
      await steps.close();
    }
  } finally {
    await peer.close();
  }
}

export const gradient: Part = {
  name: 'gradient',
  about: 'a gradient step and a forward pass, beside PyTorch, plain and tuned; NETWORK-SIZE/CORES',
  cases: [...CASES.keys()],
  async *run(name, { peers }) {
    const one = CASES.get(name)!;
    if (one.cores > availableParallelism())
      yield { skip: { reason: `needs ${one.cores} cores; this machine has ${availableParallelism()}` } };
    else yield* measure(one, peers);
  },
};
