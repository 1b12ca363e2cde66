import type { Box, ModelCrop } from '@facet/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RawImage } from '../png.js';
import { sourceIndex } from './axis.js';
import { cropFace } from './face.js';
import { toBytes, toPlanes, toTensor } from './tensor.js';

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
        const tensor = toTensor(data, height, width);
        expect(toBytes(tensor, height, width)).toEqual(data);
        expect([...toPlanes(data)].map((value) => Math.fround(value / 255))).toEqual([...tensor]);
      }),
    );
  });

  test('clip, and refuse another shape', () => {
    expect([...toBytes(Float32Array.from([-1, 2, 0.5]), 1, 1)]).toEqual([0, 255, 128]);
    expect(() => toTensor(new Uint8Array(5), 1, 2)).toThrow(RangeError);
  });
});

describe('against padding first and resizing then', () => {
  test('gives the same bytes', () => {
    const side = fc.double({ min: 1, max: 15, noNaN: true });
    const start = fc.double({ min: -12, max: 12, noNaN: true });
    const box = fc.record({ x: start, y: start, width: side, height: side });
    const given = fc.tuple(image, box, fc.constantFrom('zero' as const, 'reflect' as const), fc.boolean());
    fc.assert(
      fc.property(given, ([raw, box, outside, square]) => {
        const crop = rule({ outside, square, scale: 1.5 });
        expect(cropFace(raw, box, crop, { height: 5, width: 6 })).toEqual(naive(raw, box, crop, 5, 6));
      }),
    );
  });

  test('Lanczos has the weights of its formula', () => {
    const values = [10, 200, 30, 90, 250, 0, 120, 60, 180, 75];
    const raw = { data: Uint8Array.from(values.flatMap((v) => [v, v, v])), width: 10, height: 1 };
    const rgb = cropFace(raw, undefined, rule({ interpolation: 'area' }), { width: 20, height: 1 });
    const sinc = (x: number) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
    for (let k = 0; k < 20; k++) {
      const centre = (k + 0.5) / 2 - 0.5;
      let sum = 0;
      let total = 0;
      for (let p = Math.ceil(centre - 4); p <= Math.floor(centre + 4); p++) {
        const weight = sinc(centre - p) * sinc((centre - p) / 4);
        sum += weight * values[Math.max(0, Math.min(9, p))];
        total += weight;
      }
      expect(Math.abs(rgb[3 * k] - Math.max(0, Math.min(255, sum / total)))).toBeLessThanOrEqual(0.51);
    }
  });
});

/** Makes the padded crop, pixel by pixel, and interpolates it in two dimensions. */
function naive(raw: RawImage, box: Box, crop: ModelCrop, height: number, width: number): Uint8Array {
  const longer = Math.max(box.width, box.height);
  const [w, h] = [crop.square ? longer : box.width, crop.square ? longer : box.height].map((s) =>
    Math.max(1, Math.floor(s * crop.scale + 1e-9)),
  );
  const left = Math.floor(box.x + box.width / 2 - w / 2);
  const top = Math.floor(box.y + box.height / 2 - h / 2);
  const fold = (p: number, length: number): number => {
    while (length > 1 && (p < 0 || p >= length)) p = p < 0 ? -p : 2 * (length - 1) - p;
    return length === 1 ? 0 : p;
  };
  const at = (x: number, y: number, c: number): number => {
    const [u, v] = [left + Math.max(0, Math.min(w - 1, x)), top + Math.max(0, Math.min(h - 1, y))];
    const within = u >= 0 && v >= 0 && u < raw.width && v < raw.height;
    if (!within && crop.outside === 'zero') return 0;
    return raw.data[(fold(v, raw.height) * raw.width + fold(u, raw.width)) * 3 + c];
  };
  const out = new Uint8Array(height * width * 3);
  for (let i = 0; i < out.length; i++) {
    const c = i % 3;
    const x = ((((i - c) / 3) % width) + 0.5) * (w / width) - 0.5;
    const y = (Math.floor(i / 3 / width) + 0.5) * (h / height) - 0.5;
    const [x0, y0] = [Math.floor(x), Math.floor(y)];
    const [fx, fy] = [x - x0, y - y0];
    const upper = at(x0, y0, c) * (1 - fx) + at(x0 + 1, y0, c) * fx;
    const lower = at(x0, y0 + 1, c) * (1 - fx) + at(x0 + 1, y0 + 1, c) * fx;
    out[i] = Math.floor(upper * (1 - fy) + lower * fy + 0.5 + 1e-9);
  }
  return out;
}
