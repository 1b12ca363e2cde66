import { describe, expect, it } from 'vitest';
import { averageResults, splitBatch } from './parts.js';
import type { TrainingBatch } from './trainer.js';

const batch: TrainingBatch = {
  size: 4,
  parts: 2,
  pixels: Float32Array.from({ length: 8 }, (_, i) => i),
  targets: { live: BigInt64Array.of(0n, 1n, 1n, 0n), depth: Float32Array.from({ length: 16 }, (_, i) => i) },
  masks: { live: Float32Array.of(1, 1, 0, 1) },
};

describe('splitBatch', () => {
  it('gives every part its own samples, in order', () => {
    const [first, second] = splitBatch(batch);
    expect(first).toMatchObject({ size: 2, parts: 1, masks: { live: Float32Array.of(1, 1) } });
    expect(second).toMatchObject({
      pixels: Float32Array.of(4, 5, 6, 7),
      targets: { live: BigInt64Array.of(1n, 0n), depth: Float32Array.of(8, 9, 10, 11, 12, 13, 14, 15) },
    });
  });

  it('refuses parts that are not equal', () => {
    expect(() => splitBatch({ ...batch, parts: 3 })).toThrow(RangeError);
  });
});

describe('averageResults', () => {
  it('averages each loss', () => {
    expect(averageResults([{ losses: { a: 1, b: 4 } }, { losses: { a: 3, b: 0 } }])).toEqual({
      losses: { a: 2, b: 2 },
    });
  });
});
