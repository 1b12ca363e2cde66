import { describe, expect, it } from 'vitest';
import { resizeMap } from './map.js';

describe('resizeMap', () => {
  it('averages the pixels that a value covers', () => {
    const data = Uint8Array.of(0, 255, 51, 51, 255, 0, 51, 51);
    expect([...resizeMap({ data, width: 4, height: 2 }, { width: 2, height: 1 })]).toEqual([
      0.5,
      Math.fround(0.2),
    ]);
  });

  it('leaves a map of the right size alone', () => {
    const data = Uint8Array.from({ length: 12 }, (_, i) => i * 20);
    const same = resizeMap({ data, width: 3, height: 4 }, { width: 3, height: 4 });
    expect([...same].map((value) => Math.round(value * 255))).toEqual([...data]);
  });
});
