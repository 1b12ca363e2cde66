/** A whole attack as the attacks service asks for it: images in, PGD on the decision, images out. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { ModelManifest } from '@facet/contracts';
import { encodePng } from '@facet/datasets';
import { type AttackTask, share } from '@facet/engine';
import { GraphBuilder, readModel, writeModel } from '@facet/onnx';
import { Random } from '@facet/random';
import type { Peers } from '../peers/peers.js';

/** @param seed of the pixels, which are noise: what they show costs nothing */
async function pictures(n: number, side: number, seed: number): Promise<{ png: Uint8Array }[]> {
  const random = new Random(seed);
  const picture = (): Uint8Array =>
    Uint8Array.from({ length: 3 * side * side }, () => 256 * random.uniform());
  return Promise.all(
    Array.from({ length: n }, async () => ({
      png: await encodePng({ data: picture(), width: side, height: side }),
    })),
  );
}

/** A classifier with logits `logits` as a face model: its first two classes are live and spoof, [N, 2] in `live`. */
export function decider(classifier: Uint8Array): Uint8Array {
  const model = readModel(classifier);
  const b = new GraphBuilder({ ...model.graph, outputs: [] });
  b.node('Slice', ['logits', b.i64([0]), b.i64([2]), b.i64([1])], {}, 'live');
  b.output('live', 'float32', ['N', 2]);
  return writeModel({ ...model, graph: b.build(model.graph.name) });
}

/** Facets that datasets may label, so that a probe stands in for a head. */
const PROBED = ['spoof-type', 'illumination', 'attributes'];

/** Of a {@link decider} of square images. @param embedding a tensor to probe */
const deciderManifest = (side: number, embedding?: string): ModelManifest =>
  ModelManifest.parse({
    schema: 'facet.model/v1',
    name: 'network',
    version: '1',
    input: { name: 'input', height: side, width: side, colour: 'rgb', white: 1 },
    output: { kind: 'logits', name: 'live', classes: 2, live: [0] },
    facets: embedding && Object.fromEntries(PROBED.map((facet) => [facet, { feature: embedding }])),
  });

/** A ResNet of torchvision as a {@link decider} whose embedding, what its last layer reads, is probed. */
export async function probedResNet(peers: Peers, name: string) {
  const network = await peers.network(name);
  return {
    bytes: decider(await readFile(network.file('onnx'))),
    manifest: deciderManifest(network.shape[2], '/Flatten_output_0'),
  };
}

/** PGD at 2/255 on the decision of a {@link decider}. */
export async function attackTask(
  file: string,
  { side, batch, steps, seed }: { side: number; batch: number; steps: number; seed: number },
): Promise<AttackTask> {
  const bytes = share(await readFile(file));
  const manifest = deciderManifest(side);
  const { input, output } = manifest;
  const numbers = Array.from({ length: batch }, (_, i) => i);
  return {
    source: {
      digest: createHash('sha256').update(bytes).digest('hex'),
      bytes,
      manifest,
      fit: 'none',
      probes: [],
      attacked: { input, output, texture: { tensor: '' }, facets: [] },
    },
    facet: undefined,
    objective: 'direct',
    // To the end, so that every step serves the whole batch.
    search: { name: 'pgd', steps, restarts: 1, stop: 'never' },
    threat: { norm: 'linf', epsilon: 2 / 255 },
    threshold: 0,
    seed,
    batch,
    images: { photos: await pictures(batch, side, seed), prepared: true },
    keys: numbers.map((i) => `sample-${i}`),
    labels: Uint8Array.from(numbers, (i) => i % 2),
    truth: {},
  };
}
