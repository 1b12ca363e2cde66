import { AUXILIARY_FACETS, ModelManifest, SMALL_BACKBONES, STANDARD_BACKBONES } from '@facet/contracts';
import { type Graph } from '@facet/onnx';
import { describe, expect, it } from 'vitest';
import { misfit } from './backbones/index.js';
import { buildMultitask, type MultitaskOptions } from './multitask.js';

const options: MultitaskOptions = {
  backbone: 'resnet-small',
  size: 64,
  channels: 3,
  facets: AUXILIARY_FACETS,
  seed: 1,
};

const parameters = (graph: Graph): number =>
  [...graph.initializers.values()].reduce((sum, tensor) => sum + tensor.data.length, 0);

/** Whether `to` can be reached from `from` without passing through `without`. */
function reaches(graph: Graph, from: string, to: string, without: string): boolean {
  const reached = new Set([from]);
  for (const node of graph.nodes)
    if (node.inputs.some((input) => reached.has(input)))
      for (const output of node.outputs) if (output !== without) reached.add(output);
  return reached.has(to);
}

describe.each(SMALL_BACKBONES)('%s', (backbone) => {
  const network = buildMultitask({ ...options, backbone });
  const { graph } = network.model;
  const tensors = new Set(graph.nodes.flatMap((node) => node.outputs));

  it('stays small enough to train on a CPU', () => {
    expect(parameters(graph)).toBeLessThan(500_000);
  });

  it('names tensors that exist, in a manifest that is valid', () => {
    const manifest = ModelManifest.parse({
      schema: 'facet.model/v1',
      name: 'network',
      version: '1',
      input: network.input,
      output: network.output,
      facets: network.facets,
      texture: network.texture,
    });
    expect(Object.keys(manifest.facets).sort()).toEqual(['live', ...AUXILIARY_FACETS].sort());
    expect(tensors).toContain(manifest.texture);
    for (const facet of Object.values(manifest.facets)) {
      expect(tensors).toContain(facet.feature);
      expect(graph.outputs.map((output) => output.name)).toContain(facet.head?.output);
    }
  });

  it('reaches every output through its feature and through the texture map, and in no other way', () => {
    for (const facet of Object.values(network.facets)) {
      const { output } = facet.head!;
      expect(reaches(graph, 'pixels', output, '')).toBe(true);
      expect(reaches(graph, 'pixels', output, facet.feature)).toBe(false);
      expect(reaches(graph, 'pixels', output, network.texture)).toBe(false);
    }
  });

  it('reads every node after what it needs, and every parameter somewhere', () => {
    const known = new Set([...graph.inputs.map((input) => input.name), ...graph.initializers.keys()]);
    const used = new Set<string>();
    for (const node of graph.nodes) {
      for (const input of node.inputs) {
        expect(known).toContain(input);
        used.add(input);
      }
      for (const output of node.outputs) known.add(output);
    }
    expect([...graph.initializers.keys()].filter((name) => !used.has(name))).toEqual([]);
  });
});

describe('buildMultitask', () => {
  it('gives the same weights for the same seed, and others for another', () => {
    const weight = (seed: number): unknown =>
      buildMultitask({ ...options, seed }).model.graph.initializers.get('trunk.1.inner.conv.weight');
    expect(weight(1)).toEqual(weight(1));
    expect(weight(1)).not.toEqual(weight(2));
  });

  it('starts the trunk alike whatever facets stand on it', () => {
    const { initializers } = buildMultitask(options).model.graph;
    const alone = buildMultitask({ ...options, facets: [] }).model.graph.initializers;
    expect(alone.size).toBeGreaterThan(0);
    for (const [name, tensor] of alone) expect(initializers.get(name)).toEqual(tensor);
  });

  it('draws weights with the variance that He et al. propose', () => {
    const weight = buildMultitask(options).model.graph.initializers.get('trunk.2.inner.conv.weight')!;
    const data = weight.data as Float32Array;
    const variance = data.reduce((sum, w) => sum + w * w, 0) / data.length;
    expect(variance * 64 * 9).toBeGreaterThan(1.9);
    expect(variance * 64 * 9).toBeLessThan(2.1);
  });

  it('refuses sizes that the backbone cannot halve so often', () => {
    for (const size of [8, 60, 63]) expect(() => buildMultitask({ ...options, size })).toThrow(RangeError);
    expect(misfit('swin-t', 224)).toBeUndefined();
    expect(misfit('swin-t', 240)).toBe('swin-t takes squares of a multiple of 32, at least 32, not 240');
  });
});

describe.each(STANDARD_BACKBONES)('%s', (backbone) => {
  /** What torchvision 0.29's network has without its classifier, buffers not counted: `sum(p.numel() for p in ...)`. */
  const TORCHVISION: Readonly<Record<(typeof STANDARD_BACKBONES)[number], number>> = {
    'vgg-16': 14_723_136,
    'resnet-18': 11_176_512,
    'resnet-50': 23_508_032,
    'densenet-121': 6_953_856,
    'swin-t': 27_519_354,
  };
  const { graph } = buildMultitask({ ...options, backbone, size: 224, facets: [] }).model;

  it('has the parameters of the published architecture', () => {
    const trunk = [...graph.initializers].filter(
      ([name]) => name.startsWith('trunk.') && !/running_(mean|var)$/.test(name),
    );
    expect(trunk.reduce((sum, [, { data }]) => sum + data.length, 0)).toBe(TORCHVISION[backbone]);
  });
});
