import type { ModelCrop } from '@facet/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RawImage } from '../png.js';
import { sourceIndex } from './axis.js';
import { cropFace } from './face.js';
import { toBytes, toTensor } from './tensor.js';

const rule = (more: Partial<ModelCrop> = {}): ModelCrop => ({
  scale: 1,
  square: true,
  outside: 'zero',
  interpolation: 'bilinear',
  ...more,
});

/** Red counts columns, green rows. */
function ramp(width: number, height: number): RawImage {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) data.set([x + 1, y + 1, 7], (y * width + x) * 3);
  return { data, width, height };
}
const red = (rgb: Uint8Array, width: number, row = 0): number[] =>
  Array.from({ length: width }, (_, x) => rgb[(row * width + x) * 3]);

const image = fc
  .record({ width: fc.integer({ min: 1, max: 12 }), height: fc.integer({ min: 1, max: 12 }) })
  .chain(({ width, height }) =>
    fc
      .uint8Array({ minLength: width * height * 3, maxLength: width * height * 3 })
      .map((data): RawImage => ({ data, width, height })),
  );

describe('outside of the image', () => {
  test('reflects about the edge pixel, as often as it takes', () => {
    const at = [-7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6].map((p) => sourceIndex(p, 3, 'reflect'));
    expect(at).toEqual([1, 2, 1, 0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2]);
  });

  test('a single row reflects to itself, and zero is black', () => {
    expect(sourceIndex(-9, 1, 'reflect')).toBe(0);
    expect(sourceIndex(3, 3, 'zero')).toBe(-1);
  });

  test('zero, reflect and shift give what their names say', () => {
    const box = { x: -2, y: 0, width: 4, height: 4 };
    const cut = (outside: ModelCrop['outside']) =>
      red(cropFace(ramp(6, 6), box, rule({ outside }), { height: 4, width: 4 }), 4);
    expect(cut('zero')).toEqual([0, 0, 1, 2]);
    expect(cut('reflect')).toEqual([3, 2, 1, 2]);
    expect(cut('shift')).toEqual([1, 2, 3, 4]);
  });

  test('shift shrinks a crop that is larger than the image', () => {
    const box = { x: 1, y: 2, width: 4, height: 4 };
    const rgb = cropFace(ramp(6, 9), box, rule({ outside: 'shift', scale: 4 }), { height: 6, width: 6 });
    expect(red(rgb, 6)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('costs no memory for a crop that reaches far', () => {
    const box = { x: 0, y: 0, width: 4000, height: 4000 };
    const rgb = cropFace(ramp(5, 5), box, rule({ scale: 8, interpolation: 'area' }), { height: 8, width: 8 });
    expect(rgb.length).toBe(192);
  });
});

describe('the box', () => {
  test('grows to a square about its centre, and by the scale', () => {
    const rgb = cropFace(ramp(20, 20), { x: 9, y: 6, width: 2, height: 8 }, rule(), { height: 8, width: 8 });
    expect(red(rgb, 8)).toEqual([7, 8, 9, 10, 11, 12, 13, 14]);
    const wide = cropFace(ramp(20, 20), { x: 8, y: 8, width: 4, height: 4 }, rule({ scale: 2 }), {
      height: 8,
      width: 8,
    });
    expect(red(wide, 8)).toEqual([7, 8, 9, 10, 11, 12, 13, 14]);
  });

  test('without one the whole image is the face', () => {
    fc.assert(
      fc.property(
        image,
        fc.constantFrom<ModelCrop['interpolation']>('bilinear', 'area'),
        (raw, interpolation) => {
          expect(cropFace(raw, undefined, rule({ interpolation }), raw)).toEqual(raw.data);
        },
      ),
    );
  });
});

describe('resizing', () => {
  test('bilinear takes the two nearest pixels, even when shrinking', () => {
    const raw = {
      data: Uint8Array.from([0, 100, 200, 40, 80, 250, 7, 9].flatMap((v) => [v, v, v])),
      width: 8,
      height: 1,
    };
    expect(red(cropFace(raw, undefined, rule(), { width: 2, height: 1 }), 2)).toEqual([150, 129]);
    const pair = { data: Uint8Array.from([0, 0, 0, 100, 100, 100]), width: 2, height: 1 };
    expect(red(cropFace(pair, undefined, rule(), { width: 4, height: 1 }), 4)).toEqual([0, 25, 75, 100]);
  });

  test('area averages by covered share', () => {
    const raw = { data: Uint8Array.from([0, 90, 240].flatMap((v) => [v, v, v])), width: 3, height: 1 };
    const rgb = cropFace(raw, undefined, rule({ interpolation: 'area' }), { width: 2, height: 1 });
    expect(red(rgb, 2)).toEqual([30, 190]);
  });

  test('keeps an even colour even, whatever the sizes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 0, max: 255 }),
        fc.constantFrom<ModelCrop['interpolation']>('bilinear', 'area'),
        (width, height, value, interpolation) => {
          const raw = { data: new Uint8Array(width * height * 3).fill(value), width, height };
          const rgb = cropFace(raw, undefined, rule({ interpolation }), { width: 7, height: 11 });
          expect(new Set(rgb)).toEqual(new Set([value]));
        },
      ),
    );
  });
});

describe('tensors', () => {
  test('are planes in [0,1], and go back exactly', () => {
    expect([...toTensor(Uint8Array.from([0, 51, 255, 255, 102, 0]), 1, 2)]).toEqual(
      [0, 1, 0.2, 0.4, 1, 0].map(Math.fround),
    );
    fc.assert(
      fc.property(image, ({ data, width, height }) => {
        expect(toBytes(toTensor(data, height, width), height, width)).toEqual(data);
      }),
    );
  });

  test('clip, and refuse another shape', () => {
    expect([...toBytes(Float32Array.from([-1, 2, 0.5]), 1, 1)]).toEqual([0, 255, 128]);
    expect(() => toTensor(new Uint8Array(5), 1, 2)).toThrow(RangeError);
  });
});
