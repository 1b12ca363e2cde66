import { type DatasetManifest, keys, type Split } from '@facet/contracts';
import { type StoredSample, writeShard } from '@facet/datasets';
import { InputError } from '@facet/runtime';
import type { FolderStore } from '@facet/store';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Dataset, findDataset, publishDataset, spread, writeDatasetShard } from './datasets.js';
import { contents, openStore } from './store.fixture.js';

const REF = { name: 'faces', version: '1' };

/** Samples whose keys ascend, as shards keep them. */
const samplesOf = (from: number, to: number): StoredSample[] =>
  Array.from({ length: to - from }, (_, i) => ({
    key: `s${String(from + i).padStart(3, '0')}`,
    png: Uint8Array.of(from + i, 1, 2),
    labels: { label: (from + i) % 2 === 0 ? ('live' as const) : ('spoof' as const) },
  }));

async function publish(
  store: FolderStore,
  splits: Readonly<Record<Split, readonly (readonly StoredSample[])[]>>,
): Promise<DatasetManifest> {
  const shards: DatasetManifest['splits'] = { train: [], dev: [], test: [] };
  for (const split of ['train', 'dev', 'test'] as const)
    for (const [index, samples] of splits[split].entries())
      shards[split].push(await writeDatasetShard(store, REF, split, index, samples));
  return publishDataset(store, { ...REF, description: '', size: 'native', maps: [], splits: shards });
}

const THREE = {
  train: [samplesOf(100, 102)],
  dev: [],
  test: [samplesOf(0, 4), samplesOf(4, 7), samplesOf(7, 12)],
};

const keysOf = (samples: readonly StoredSample[]) => samples.map(({ key }) => key);

describe('a stored dataset', () => {
  it('exists once its manifest does', async () => {
    const store = await openStore();
    await writeDatasetShard(store, REF, 'test', 0, samplesOf(0, 3));
    expect(await findDataset(store, REF)).toBeUndefined();
    await expect(Dataset.open(store, REF)).rejects.toThrow('dataset: there is no dataset faces@1');
    const manifest = await publish(store, { train: [], dev: [], test: [samplesOf(0, 3)] });
    expect(await findDataset(store, REF)).toEqual(manifest);
  });

  it('gives its samples in their order, across shards', async () => {
    const store = await openStore();
    await publish(store, THREE);
    const dataset = await Dataset.open(store, REF);
    expect([dataset.count('train'), dataset.count('dev'), dataset.count('test')]).toEqual([2, 0, 12]);
    const all: StoredSample[] = [];
    for await (const sample of dataset.samples('test')) all.push(sample);
    expect(all).toEqual(THREE.test.flat());
  });

  it('finds samples by their place in the split', async () => {
    const store = await openStore();
    await publish(store, THREE);
    const dataset = await Dataset.open(store, REF);
    await fc.assert(
      fc.asyncProperty(fc.subarray(Array.from({ length: 12 }, (_, i) => i)), async (indices) => {
        expect(await dataset.at('test', indices)).toEqual(indices.map((index) => THREE.test.flat()[index]));
      }),
      { numRuns: 30 },
    );
  });

  it('reads only the shards that hold them', async () => {
    const store = await openStore();
    await publish(store, THREE);
    await store.delete(keys.dataset.shard(REF, 'test', 0));
    await store.delete(keys.dataset.shard(REF, 'test', 2));
    const dataset = await Dataset.open(store, REF);
    expect(keysOf(await dataset.at('test', [4, 6]))).toEqual(['s004', 's006']);
    await expect(dataset.at('test', [3, 4])).rejects.toThrow(
      'datasets/faces/1/test/00000.tar: is missing from the store',
    );
  });

  it('gives nothing that was read before of a shard that has been deleted', async () => {
    const store = await openStore();
    await publish(store, THREE);
    const dataset = await Dataset.open(store, REF);
    expect(keysOf(await dataset.at('test', [0]))).toEqual(['s000']);
    await store.delete(keys.dataset.shard(REF, 'test', 0));
    await expect(dataset.at('test', [0])).rejects.toThrow('is missing from the store');
  });

  it.each([[[12]], [[-1]], [[3, 2]], [[3, 3]], [[0.5]], [[Number.NaN]]])(
    'does not leave out silently what it lacks: %j',
    async (indices) => {
      const store = await openStore();
      await publish(store, THREE);
      const dataset = await Dataset.open(store, REF);
      await expect(dataset.at('test', indices)).rejects.toThrow(RangeError);
    },
  );

  it('changes nothing when it is made again', async () => {
    const store = await openStore();
    const first = await publish(store, THREE);
    const before = await contents(store);
    expect(await publish(store, THREE)).toEqual(first);
    expect(await contents(store)).toEqual(before);
  });

  it('refuses other samples, fewer or more of them, under the same version', async () => {
    const store = await openStore();
    await publish(store, THREE);
    const before = await contents(store);
    const message = /^version: faces@1 is stored already with other samples/;
    await expect(writeDatasetShard(store, REF, 'test', 1, samplesOf(4, 8))).rejects.toThrow(message);
    await expect(publish(store, { ...THREE, test: THREE.test.slice(0, 2) })).rejects.toThrow(message);
    expect(await contents(store)).toEqual(before);
    await expect(publish(store, { ...THREE, dev: [samplesOf(50, 52)] })).rejects.toThrow(message);
    expect((await Dataset.open(store, REF)).count('dev')).toBe(0);
  });

  it('has a digest of its samples and of the splits that they stand in', async () => {
    const digests = new Set<string>();
    const variants = [
      THREE,
      { ...THREE, test: THREE.test.slice(0, 2) },
      { ...THREE, train: THREE.dev, dev: THREE.train },
      {
        ...THREE,
        test: [THREE.test[0].map((sample) => ({ ...sample, labels: { label: 'live' as const } }))],
      },
    ];
    for (const splits of variants) digests.add((await publish(await openStore(), splits)).digest);
    expect(digests.size).toBe(variants.length);
    const { digest } = await publish(await openStore(), THREE);
    expect(digests.has(digest)).toBe(true);
  });
});

describe('a store that was tampered with', () => {
  it('has a shard of other bytes', async () => {
    const store = await openStore();
    await publish(store, THREE);
    await store.put(keys.dataset.shard(REF, 'test', 1), await writeShard(samplesOf(40, 43)));
    const dataset = await Dataset.open(store, REF);
    await expect(dataset.at('test', [5])).rejects.toThrow(
      new InputError('is not what the manifest says; ingest the dataset again', {
        file: 'datasets/faces/1/test/00001.tar',
      }),
    );
    expect(keysOf(await dataset.at('test', [0]))).toEqual(['s000']);
  });

  it('has a manifest that counts wrongly', async () => {
    const store = await openStore();
    const shard = await writeDatasetShard(store, REF, 'test', 0, samplesOf(0, 2));
    const splits = { train: [], dev: [], test: [{ ...shard, samples: 5 }] };
    await publishDataset(store, { ...REF, description: '', size: 'native', maps: [], splits });
    const dataset = await Dataset.open(store, REF);
    await expect(dataset.at('test', [4])).rejects.toThrow(/holds 2 samples, its manifest says 5/);
  });
});

describe('spread', () => {
  const sizes = fc.tuple(fc.nat(3000), fc.nat(3000));
  it('takes so many distinct indices, ascending', () => {
    fc.assert(
      fc.property(sizes, ([total, count]) => {
        const indices = spread(total, count);
        expect(indices).toHaveLength(Math.min(total, count));
        indices.forEach((index, i) => {
          expect(index).toBeLessThan(total);
          expect(index).toBeGreaterThan(i === 0 ? -1 : indices[i - 1]);
        });
      }),
    );
  });

  it('is even: each index stands in a stretch of its own', () => {
    fc.assert(
      fc.property(sizes, ([total, count]) => {
        const indices = spread(total, count);
        indices.forEach((index, i) => {
          expect(index).toBeGreaterThanOrEqual(Math.floor((i * total) / indices.length));
          expect(index).toBeLessThan(Math.floor(((i + 1) * total) / indices.length));
        });
        expect(spread(total, count)).toEqual(indices);
      }),
    );
  });

  it.each([
    [512, 256],
    [256, 64],
    [3072, 1000],
    [60, 50],
  ])('meets both classes of an alternating dataset about equally: %i, %i', (total, count) => {
    const spoofs = spread(total, count).filter((index) => index % 2 === 1).length;
    expect(Math.abs(spoofs / count - 0.5)).toBeLessThan(0.1);
  });

  it('takes all where there are fewer', () => {
    expect(spread(3, 10)).toEqual([0, 1, 2]);
    expect(spread(3, Infinity)).toEqual([0, 1, 2]);
    expect(spread(0, 5)).toEqual([]);
  });
});
