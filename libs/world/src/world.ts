/** A store in a folder of its own that holds a small dataset and an untrained network. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publishDataset, publishModel, writeDatasetShard } from '@facet/catalog';
import { AUXILIARY_FACETS, ModelManifest, SPLITS, type Split } from '@facet/contracts';
import { storeFace, type StoredSample, syntheticDataset } from '@facet/datasets';
import { buildMultitask } from '@facet/networks';
import { writeModel } from '@facet/onnx';
import { FolderStore } from '@facet/store';

const SIZE = 16;
const dataset = { name: 'faces', version: '1' };
const model = { name: 'network', version: '1' };

export async function openWorld(counts: Readonly<Record<Split, number>>, changes: object = {}) {
  const root = await mkdtemp(join(tmpdir(), 'facet-world-'));
  const store = await FolderStore.open(root);
  const samples: Record<Split, StoredSample[]> = { train: [], dev: [], test: [] };
  for await (const { split, key, sample } of syntheticDataset({ seed: 1, size: SIZE, splits: counts }))
    samples[split].push(await storeFace(key, sample, SIZE));
  const [train, dev, test] = await Promise.all(
    SPLITS.map(async (split) =>
      samples[split].length === 0 ? [] : [await writeDatasetShard(store, dataset, split, 0, samples[split])],
    ),
  );
  await publishDataset(store, {
    ...dataset,
    description: 'small',
    size: { height: SIZE, width: SIZE },
    maps: ['depth', 'reflection'],
    splits: { train, dev, test },
  });
  const network = buildMultitask({
    backbone: 'resnet-small',
    size: SIZE,
    channels: 3,
    facets: AUXILIARY_FACETS,
    seed: 3,
  });
  const { input, output, facets, texture } = network;
  const manifest = ModelManifest.parse({
    schema: 'facet.model/v1',
    ...model,
    input,
    output,
    facets,
    texture,
    ...changes,
  });
  const published = await publishModel(store, writeModel(network.model), manifest);
  return { store, dataset, model, published, samples, close: () => rm(root, { recursive: true }) };
}

export type World = Awaited<ReturnType<typeof openWorld>>;
