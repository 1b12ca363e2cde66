import { Random } from '@facet/random';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { augment, type Change, DEFAULT_AUGMENTATION, drawChange } from './augment.js';
import type { SampleBatch } from './samples.js';

const SIZE = { height: 4, width: 6 };
const none: Change = { flip: false, dx: 0, dy: 0, gain: 1 };

/** One sample of one channel, and its map at half of the size. */
function sample(pixels: ArrayLike<number>, map: ArrayLike<number> = new Array<number>(6).fill(0)) {
  return {
    pixels: Float32Array.from(pixels),
    targets: { depth: { kind: 'map', data: Float32Array.from(map), height: 2, width: 3 } },
    masks: {},
    labels: new Uint8Array(0),
  } satisfies SampleBatch;
}

function changed(batch: ReturnType<typeof sample>, ...changes: Change[]) {
  augment(batch, SIZE, changes);
  return { pixels: [...batch.pixels], map: [...batch.targets.depth.data] };
}

const ramp = Array.from({ length: 24 }, (_, i) => i / 32);

describe('augment', () => {
  it('leaves a sample alone where nothing changes', () => {
    expect(changed(sample(ramp), none).pixels).toEqual(ramp);
  });

  it('mirrors pixels and maps', () => {
    const { pixels, map } = changed(sample(ramp, [1, 2, 3, 4, 5, 6]), { ...none, flip: true });
    expect(pixels.slice(0, 6)).toEqual(ramp.slice(0, 6).reverse());
    expect(map).toEqual([3, 2, 1, 6, 5, 4]);
  });

  it('shifts right and down, repeats the edge, and moves maps by the same share', () => {
    const { pixels, map } = changed(sample(ramp, [1, 2, 3, 4, 5, 6]), { ...none, dx: 2, dy: 1 });
    expect(pixels.slice(0, 6)).toEqual([0, 0, 0, 1, 2, 3].map((v) => v / 32));
    expect(pixels.slice(6, 12)).toEqual([0, 0, 0, 1, 2, 3].map((v) => v / 32));
    expect(pixels.slice(12, 18)).toEqual([6, 6, 6, 7, 8, 9].map((v) => v / 32));
    // One map element is two pixels: one to the right, half a one down.
    expect(map).toEqual([1, 1, 2, 2.5, 2.5, 3.5]);
  });

  it('brightens within [0,1]', () => {
    const { pixels } = changed(sample(new Array<number>(24).fill(0.75)), { ...none, gain: 2 });
    expect(new Set(pixels)).toEqual(new Set([1]));
  });

  it('changes every sample of a batch by its own change', () => {
    const batch = sample([...ramp, ...ramp], [1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6]);
    const { pixels, map } = changed(batch, none, { ...none, flip: true });
    expect(pixels.slice(0, 24)).toEqual(ramp);
    expect(pixels.slice(24, 30)).toEqual(ramp.slice(0, 6).reverse());
    expect(map).toEqual([1, 2, 3, 4, 5, 6, 3, 2, 1, 6, 5, 4]);
  });

  it('keeps values between the smallest and the largest, whatever is drawn', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), (seed) => {
        const change = drawChange(new Random(seed), DEFAULT_AUGMENTATION);
        expect(Math.abs(change.dx) <= 3 && Math.abs(change.dy) <= 3).toBe(true);
        expect(Math.abs(change.gain - 1)).toBeLessThanOrEqual(0.1);
        const { pixels, map } = changed(sample(ramp, [1, 2, 3, 4, 5, 6]), { ...change, gain: 1 });
        expect(Math.min(...pixels)).toBeGreaterThanOrEqual(0);
        expect(Math.max(...pixels)).toBeLessThanOrEqual(23 / 32);
        expect(Math.min(...map)).toBeGreaterThanOrEqual(1);
        expect(Math.max(...map)).toBeLessThanOrEqual(6);
      }),
    );
  });
});
