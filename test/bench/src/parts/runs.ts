/**
 * Attacks take gradients in runs of eight samples on a processor, which saves memory; what does it cost in time? The
 * gradient of a batch of 32 in runs of 16, 8 and 4 beside the whole batch in one run, on one core.
 */
import { Random } from '@facet/random';
import { trainedModel } from '../attack/trained.js';
import { Steps } from '../compute/steps.js';
import { compared, interleave, type Sample, timed, type Timing } from '../frame/interleave.js';
import type { Part, Tools } from '../frame/part.js';
import type { ReferenceNetwork } from '../peers/networks.js';

const BATCH = 32;
const RUNS = [16, 8, 4] as const;
const NETWORKS = ['resnet18-112', 'mobilenetv3-112', 'convnext-tiny-96', 'densenet121-224'];
const DEMO = 'demo-64';
const ONE_RUN = 'one run';

type Network = Pick<ReferenceNetwork, 'shape' | 'file'>;

async function networkOf(name: string, { peers, log }: Tools): Promise<Network> {
  if (name !== DEMO) return peers.network(name);
  const { file, manifest } = await trainedModel(log);
  const { height, width } = manifest.input;
  return { shape: [BATCH, 3, height, width], file: () => file };
}

/** Noise: what images show costs nothing. */
function open(network: Network, samples: number): Promise<Steps> {
  const [, , height, width] = network.shape;
  const random = new Random(0, 'runs');
  const pixels = Float32Array.from({ length: samples * 3 * height * width }, () => random.uniform());
  return Steps.open(network, pixels, new Array<number>(samples).fill(0), 1);
}

export const runs: Part = {
  name: 'runs',
  about: `the gradient of ${BATCH} images in runs of ${RUNS.join(', ')} beside one run, one core; NETWORK-SIZE`,
  cases: [DEMO, ...NETWORKS],
  async *run(name, tools) {
    const network = await networkOf(name, tools);
    const opened: Steps[] = [];
    try {
      for (const samples of [BATCH, ...RUNS]) opened.push(await open(network, samples));
      const [whole, ...parts] = opened;
      const inParts = parts.map((steps, i): [string, () => Promise<Sample>] => [
        `runs of ${RUNS[i]}`,
        () =>
          timed(async () => {
            for (let run = 0; run < BATCH / RUNS[i]; run++) await steps.loss('gradient');
          }),
      ]);
      const contenders = { [ONE_RUN]: () => whole.time('gradient'), ...Object.fromEntries(inParts) };
      const timings: Record<string, Timing> = await interleave(contenders);
      for (const [subject] of inParts)
        yield compared({ subject: [subject, timings[subject]], baseline: [ONE_RUN, timings[ONE_RUN]] });
    } finally {
      await Promise.all(opened.map((steps) => steps.close()));
    }
  },
};
