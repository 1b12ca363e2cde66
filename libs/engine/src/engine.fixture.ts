/** A small untrained network, images that it can be shown, and what the tests compute of them by themselves. */
import { createHash } from 'node:crypto';
import { type AttackedFacet, dequantise } from '@facet/adversary';
import { AUXILIARY_FACETS, ModelManifest } from '@facet/contracts';
import { decodePng, encodePng } from '@facet/datasets';
import { buildMultitask } from '@facet/networks';
import { GraphBuilder, type Model, writeModel } from '@facet/onnx';
import { Random } from '@facet/random';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Engine } from './engine.js';
import { type AttackSource, type ModelSource, share } from './model-source.js';
import { type Photo, TEXTURE } from './tasks.js';

export const SIZE = 16;

export const network = buildMultitask({
  backbone: 'resnet-small',
  size: SIZE,
  channels: 3,
  facets: AUXILIARY_FACETS,
  seed: 3,
});

type Changes = Partial<Omit<ModelManifest, 'input'>> & { readonly input?: Partial<ModelManifest['input']> };

/** The network as it would be published, or another model; `changes` are to its manifest. */
export function sourceOf(changes: Changes = {}, model: Model = network.model): ModelSource {
  const bytes = share(writeModel(model));
  const { input, output, facets, texture } = network;
  const manifest = ModelManifest.parse({
    schema: 'facet.model/v1',
    name: 'network',
    version: '1',
    output,
    facets,
    texture,
    ...changes,
    input: { ...input, ...changes.input },
  });
  return { digest: createHash('sha256').update(bytes).digest('hex'), bytes, manifest };
}

/** `n` pictures of blurred noise; those with odd numbers are spoofs and brighter. */
export async function photos(n: number, seed = 1): Promise<Photo[]> {
  return Promise.all(
    Array.from({ length: n }, async (_, index) => {
      const random = new Random(seed, index);
      const level = 90 + 40 * (index % 2) + 30 * random.uniform();
      const data = Uint8Array.from({ length: 3 * SIZE * SIZE }, () => level + 60 * random.uniform());
      return { png: await encodePng({ data, width: SIZE, height: SIZE }) };
    }),
  );
}

export const labelsOf = (n: number): Uint8Array => Uint8Array.from({ length: n }, (_, index) => index % 2);
export const keysOf = (n: number): string[] => Array.from({ length: n }, (_, index) => `sample-${index}`);

/** Images as bytes [n, 3, SIZE, SIZE]. */
export async function planesOf(pngs: readonly Uint8Array[]): Promise<Uint8Array> {
  const area = SIZE * SIZE;
  const out = new Uint8Array(pngs.length * 3 * area);
  for (const [i, png] of pngs.entries()) {
    const { data } = await decodePng(png);
    for (let p = 0; p < area; p++) for (let c = 0; c < 3; c++) out[(3 * i + c) * area + p] = data[3 * p + c];
  }
  return out;
}

/** The network in this thread: its outputs and the `further` tensors, by name, of images as they are stored. */
export async function openDirectly(further: Readonly<Record<string, readonly (number | string)[]>> = {}) {
  const builder = new GraphBuilder(network.model.graph);
  for (const [name, dims] of Object.entries(further)) builder.output(name, 'float32', dims);
  const model = { ...network.model, graph: builder.build('direct') };
  const session = await InferenceSession.create(writeModel(model), { intraOpNumThreads: 1 });
  return async (pngs: readonly Uint8Array[]): Promise<Record<string, Float32Array>> => {
    const pixels = dequantise(await planesOf(pngs));
    const results = await session.run({
      pixels: new Tensor('float32', pixels, [pngs.length, 3, SIZE, SIZE]),
    });
    return Object.fromEntries(
      Object.entries(results).map(([name, { data }]) => [name, data as Float32Array]),
    );
  };
}

/** Everything that an attack needs, with priors that the engine fitted to 48 pictures. */
export async function attackSourceOf(
  engine: Engine,
  source: ModelSource,
  fit = 'fit',
): Promise<AttackSource> {
  const images = { photos: await photos(48), prepared: true };
  const classes = Int16Array.from(labelsOf(48));
  const texture = source.manifest.texture!;
  const facets = Object.entries(source.manifest.facets).filter(([facet]) => facet !== 'live');
  const tensors = [
    { name: TEXTURE, of: { texture } },
    ...facets.map(([name, { feature }]) => ({ name, of: { feature } })),
  ];
  const groupings = tensors.map(({ name, of }) => ({ id: name, of, groups: 2, index: classes }));
  const moments = await engine.moments({ source, images, batch: 16, groupings });
  const { priors, controls } = await engine.fit(
    groupings.map(({ id }) => ({ id, kind: 'prior' as const, groups: moments[id], seed: 5 })),
  );
  const fitted = (name: string) => ({ prior: priors[name], controls: controls[name] });
  return {
    ...source,
    fit,
    probes: [],
    attacked: {
      input: source.manifest.input,
      output: source.manifest.output,
      texture: { tensor: texture, ...fitted(TEXTURE) },
      facets: facets.map(([facet, { feature, head }]): AttackedFacet => ({
        facet,
        source: head === undefined ? 'tensor' : 'head',
        feature,
        ...(head && { head }),
        ...fitted(facet),
      })),
    },
  };
}
