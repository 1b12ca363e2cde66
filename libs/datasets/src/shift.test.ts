import { Random } from '@facet/random';
import { describe, expect, it } from 'vitest';
import { decodePng, encodePng } from './png.js';
import { shiftImage, shiftSample } from './shift.js';

const SIZE = 24;
const image = {
  width: SIZE,
  height: SIZE,
  data: Uint8Array.from({ length: 3 * SIZE * SIZE }, (_, i) => (Math.floor(i / 3) % SIZE < 12 ? 60 : 200)),
};

describe('another camera', () => {
  it('changes every image by its key, and the same way twice', async () => {
    const png = await encodePng(image);
    const sample = {
      key: 's1',
      png,
      labels: { label: 'live' as const },
      box: { x: 1, y: 2, width: 9, height: 9 },
    };
    const [first, again, other, reseeded] = await Promise.all([
      shiftSample(sample, 1),
      shiftSample(sample, 1),
      shiftSample({ ...sample, key: 's2' }, 1),
      shiftSample(sample, 2),
    ]);
    expect(first).toEqual(again);
    expect(first).toMatchObject({ key: 's1', labels: sample.labels, box: sample.box });
    for (const png of [sample.png, other.png, reseeded.png]) expect(first.png).not.toEqual(png);
    expect((await decodePng(first.png, 3)).data).toHaveLength(image.data.length);
  });

  it('leaves the picture to be seen: dark stays darker than bright', () => {
    for (let seed = 0; seed < 20; seed++) {
      const { data } = shiftImage(image, new Random(seed));
      const mean = (from: number, to: number): number => {
        let [sum, n] = [0, 0];
        for (let y = 0; y < SIZE; y++)
          for (let x = from; x < to; x++, n++) sum += data[3 * (y * SIZE + x) + 1];
        return sum / n;
      };
      expect(mean(15, 24)).toBeGreaterThan(mean(0, 9) + 60);
    }
  });
});
