import type { StoredSample } from '@facet/datasets';
import { describe, expect, it } from 'vitest';
import { KeptShards } from './kept-shards.js';

const samples: StoredSample[] = [{ key: 'a', png: new Uint8Array(1), labels: { label: 'live' } }];

describe('shards that are kept', () => {
  /** @returns for each key in turn whether it was read */
  async function readsOf(limit: number, sizes: Readonly<Record<string, number>>, wanted: string) {
    const kept = new KeptShards(limit);
    const read: boolean[] = [];
    for (const key of wanted) {
      let reads = 0;
      const given = await kept.get(key, sizes[key], async () => {
        reads++;
        return samples;
      });
      expect(given).toBe(samples);
      read.push(reads === 1);
    }
    return read;
  }

  it.each([
    ['as far as they fit', 10, { a: 5, b: 5 }, 'abab', [true, true, false, false]],
    [
      'the one asked for longest ago goes first',
      10,
      { a: 5, b: 5, c: 5 },
      'abacab',
      [true, true, false, true, false, true],
    ],
    ['as many as must go for a large one', 10, { a: 3, b: 3, c: 9 }, 'abcab', [true, true, true, true, true]],
    ['none that is larger than all may be', 10, { a: 11 }, 'aa', [true, true]],
  ])('are %s', async (_, limit, sizes, wanted, read) => {
    expect(await readsOf(limit, sizes, wanted)).toEqual(read);
  });

  it('are read once for all who ask meanwhile', async () => {
    const kept = new KeptShards(10);
    let done!: (value: StoredSample[]) => void;
    let reads = 0;
    const ask = () =>
      kept.get('a', 1, () => {
        reads++;
        return new Promise<StoredSample[]>((resolve) => (done = resolve));
      });
    const asked = [ask(), ask()];
    done(samples);
    expect(await Promise.all(asked)).toEqual([samples, samples]);
    expect(reads).toBe(1);
  });

  it('are read anew where reading failed', async () => {
    const kept = new KeptShards(10);
    await expect(kept.get('a', 1, () => Promise.reject(new Error('away')))).rejects.toThrow('away');
    expect(await kept.get('a', 1, () => Promise.resolve(samples))).toBe(samples);
  });
});
