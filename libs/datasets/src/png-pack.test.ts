import fc from 'fast-check';
import { expect, it } from 'vitest';
import { toPlanes } from './crop/tensor.js';
import { packPng } from './png-pack.js';
import { decodePng, encodePng, type RawImage } from './png.js';

const packed = ({ data, width, height }: RawImage): Uint8Array => packPng(toPlanes(data), width, height);

it('writes PNG files that a decoder reads, pixel for pixel', async () => {
  const images = fc
    .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }))
    .chain(([width, height]) =>
      fc
        .uint8Array({ minLength: 3 * width * height, maxLength: 3 * width * height })
        .map((data) => ({ data, width, height })),
    );
  await fc.assert(
    fc.asyncProperty(images, async (image) => {
      expect(await decodePng(packed(image))).toEqual(image);
    }),
  );
});

/** From 0 to 5. */
const noise = (i: number): number => 5 * Math.abs((Math.sin(12.9898 * i) * 43758.5453) % 1);

it('is hardly larger than what searches for matches, of a picture with noise', async () => {
  const [width, height] = [64, 64];
  const data = Uint8Array.from({ length: 3 * width * height }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    return 128 + 50 * Math.sin(x / 9) + 40 * Math.cos(y / 7) + noise(i);
  });
  const image = { data, width, height };
  expect(packed(image).length).toBeLessThan(1.1 * (await encodePng(image)).length);
});

it('refuses pixels of another size', () => {
  expect(() => packPng(new Uint8Array(5), 1, 2)).toThrow('5 bytes are no 1 x 2 image');
});
