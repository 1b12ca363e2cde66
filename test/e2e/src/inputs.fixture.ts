/** What `facet evaluate` is given, small: an untrained network with its manifest, and rendered faces. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AUXILIARY_FACETS, type FolderManifest, ModelManifest, type Split } from '@facet/contracts';
import { encodePng, syntheticDataset } from '@facet/datasets';
import { buildMultitask } from '@facet/networks';
import { writeModel } from '@facet/onnx';

/** A dataset as `dataset.json` says it, and its images by file name. */
export interface Faces {
  readonly dataset: FolderManifest;
  readonly images: ReadonlyMap<string, Uint8Array>;
}

export async function facesOf(size: number, splits: Readonly<Record<Split, number>>): Promise<Faces> {
  const samples: FolderManifest['samples'] = [];
  const images = new Map<string, Uint8Array>();
  for await (const { split, key, sample } of syntheticDataset({ seed: 7, size, splits })) {
    const file = `${key}.png`;
    images.set(file, await encodePng({ data: sample.pixels, width: size, height: size }));
    samples.push({ file, split, ...sample.labels });
  }
  return { dataset: { schema: 'facet.folder/v1', name: 'faces', version: '1', samples }, images };
}

export interface Network {
  readonly model: Uint8Array;
  readonly manifest: ModelManifest;
}

export function networkOf(size: number): Network {
  const { model, input, output, facets, texture } = buildMultitask({
    backbone: 'resnet-small',
    size,
    channels: 3,
    facets: AUXILIARY_FACETS,
    seed: 3,
  });
  const named = { schema: 'facet.model/v1', name: 'network', version: '1' };
  return {
    model: writeModel(model),
    manifest: ModelManifest.parse({ ...named, input, output, facets, texture }),
  };
}

/** Files by their path below a folder: bytes and text as they are, everything else as JSON. */
export async function writeFiles(
  folder: string,
  files: ReadonlyMap<string, unknown> | Readonly<Record<string, unknown>>,
): Promise<void> {
  for (const [name, content] of files instanceof Map ? files : Object.entries(files)) {
    const path = join(folder, name as string);
    await mkdir(dirname(path), { recursive: true });
    const raw = content instanceof Uint8Array || typeof content === 'string';
    await writeFile(path, raw ? content : JSON.stringify(content, null, 2));
  }
}
