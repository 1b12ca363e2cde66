import { Dataset, loadModel } from '@facet/catalog';
import { expect, it } from 'vitest';
import { openWorld } from './world.js';

it('holds the samples and the network that services are tested on', async () => {
  const { store, dataset, model, samples, close } = await openWorld({ train: 4, dev: 2, test: 2 });
  const stored = await Dataset.open(store, dataset);
  expect((['train', 'dev', 'test'] as const).map((split) => stored.count(split))).toEqual([4, 2, 2]);
  expect(samples.test).toHaveLength(2);
  expect((await loadModel(store, model)).manifest.facets).toHaveProperty('depth');
  await close();
});
