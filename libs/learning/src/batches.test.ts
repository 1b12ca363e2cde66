import { describe, expect, it } from 'vitest';
import { DEFAULT_AUGMENTATION } from './augment.js';
import { Batches } from './batches.js';
import { stripedSamples } from './striped-samples.fixture.js';

const options = { seed: 1, batch: 4, parts: 2, augmentation: DEFAULT_AUGMENTATION };
const epochOf = (batches: Batches, epoch: number): number[] =>
  Array.from({ length: batches.perEpoch }, (_, i) => [
    ...batches.indices(epoch * batches.perEpoch + i),
  ]).flat();

describe('Batches', () => {
  it('sees every sample at most once an epoch, in another order each time', () => {
    const batches = new Batches(stripedSamples(14), options);
    const [first, second] = [epochOf(batches, 0), epochOf(batches, 1)];
    expect(first.length).toBe(12);
    expect(new Set(first).size).toBe(12);
    expect(first.every((index) => index < 14)).toBe(true);
    expect(second).not.toEqual(first);
    expect(epochOf(batches, 0)).toEqual(first);
    expect(epochOf(new Batches(stripedSamples(14), { ...options, seed: 2 }), 0)).not.toEqual(first);
  });

  it('gives a step the same bits whenever it is asked, and changes samples differently in another epoch', async () => {
    const samples = stripedSamples(4);
    const batches = new Batches(samples, options);
    const later = await batches.get(1);
    expect(await new Batches(samples, options).get(0)).toEqual(await batches.get(0));
    expect(await batches.get(1)).toEqual(later);
    const sum = (data: Float32Array): number => data.reduce((a, b) => a + b, 0);
    expect(sum((await batches.get(0)).pixels)).not.toBeCloseTo(sum(later.pixels), 3);
  });
});
