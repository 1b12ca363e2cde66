/**
 * Is the gradient right? Each torchvision family, exported as anyone would, against PyTorch's autograd in float64.
 *
 * Single precision itself differs from double: at 224 x 224 one rectifier or maximum that falls the other way moves a few
 * pixels' gradient by a visible amount, in PyTorch too. So the exporter takes images that are far from such kinks, and the
 * whole gradient is compared (cosine and relative length of the error, and how many signs agree, which is what an
 * L-infinity attack follows), never the largest difference. PyTorch's own float32 gradient stands beside ours.
 */
import { readFile } from 'node:fs/promises';
import { Engine, share } from '@facet/engine';
import type { Part } from '../frame/part.js';
import type { Finding } from '../frame/findings.js';
import { float32, float64 } from '../peers/numbers.js';
import type { ReferenceNetwork } from '../peers/networks.js';
import { agreement, relativeToLargest } from './agreement.js';

const FAMILIES = [
  'vgg16-224',
  'resnet18-112',
  'resnet18-224',
  'resnet50-112',
  'densenet121-224',
  'mobilenetv2-224',
  'mobilenetv3-112',
  'efficientnetb0-112',
  'shufflenetv2-112',
  'googlenet-112',
  'convnext-tiny-96',
  'swin-t-224',
  'vit-b16-96',
];

/** Of the outputs' largest difference, relative to the largest output. */
const MOST_OUTPUT_ERROR = 1e-4;
const LEAST_COSINE = 0.999;
/** Of the error's length to the gradient's. */
const MOST_GRADIENT_ERROR = 1e-2;

async function check(network: ReferenceNetwork, engine: Engine): Promise<Finding> {
  const [images, ...image] = network.shape;
  const all = await float32(network.file('input.f32'));
  const size = all.length / images;
  const { logits, gradient } = await engine.gradient({
    bytes: share(await readFile(network.file('onnx'))),
    shape: [network.checked.length, ...image],
    input: Float32Array.from(network.checked.flatMap((i) => [...all.subarray(i * size, (i + 1) * size)])),
    labels: network.checked.map((i) => network.labels[i]),
    objective: 'cross-entropy',
    live: [0],
  });
  const exact = await float64(network.file('gradient.f64'));
  const ours = agreement(gradient, exact);
  const theirs = agreement(await float32(network.file('gradient.f32')), exact);
  const outputError = relativeToLargest(logits, await float64(network.file('output.f64')));
  const problems = [
    outputError <= MOST_OUTPUT_ERROR ? [] : [`outputs differ by ${outputError.toExponential(1)}`],
    ours.cosine >= LEAST_COSINE ? [] : [`cosine is ${ours.cosine}`],
    ours.relativeError <= MOST_GRADIENT_ERROR ? [] : [`relative error is ${ours.relativeError}`],
  ].flat();
  return {
    check: {
      subject: 'gradient against float64 autograd',
      passed: problems.length === 0,
      figures: {
        outputError,
        cosine: ours.cosine,
        relativeError: ours.relativeError,
        signsAgree: ours.signsAgree,
        pytorchFloat32RelativeError: theirs.relativeError,
      },
      ...(problems.length > 0 && { problem: problems.join(', ') }),
    },
  };
}

export const families: Part = {
  name: 'families',
  about:
    'outputs and gradients of the torchvision families against PyTorch in float64; fails where one differs',
  cases: FAMILIES,
  async *run(name, { peers }) {
    const network = await peers.network(name);
    const engine = new Engine({ threads: 1 });
    try {
      yield await check(network, engine);
    } finally {
      await engine.close();
    }
  },
};
