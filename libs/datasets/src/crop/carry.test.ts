import type { ModelCrop } from '@facet/contracts';
import { describe, expect, it } from 'vitest';
import type { RawImage } from '../png.js';
import { carryChange } from './carry.js';
import { cropFace } from './face.js';

const photo: RawImage = {
  width: 40,
  height: 30,
  data: Uint8Array.from({ length: 40 * 30 * 3 }, (_, i) => 60 + ((i * 37) % 120)),
};
const box = { x: 8, y: 5, width: 16, height: 16 };
const crop = (changes: Partial<ModelCrop> = {}): ModelCrop => ({
  scale: 1,
  square: true,
  outside: 'zero',
  interpolation: 'bilinear',
  ...changes,
});
const same = { crop: crop(), input: { height: 16, width: 16 } };
const changed = (clean: Uint8Array, by: number): Uint8Array => clean.map((value) => value + by);

describe('carryChange', () => {
  it('leaves the photograph alone where nothing changed, and everything outside the crop always', () => {
    const clean = cropFace(photo, box, same.crop, same.input);
    expect(carryChange(photo, box, same, clean).data).toEqual(photo.data);
    const { data } = carryChange(photo, box, same, changed(clean, 5));
    data.forEach((value, i) => {
      const [x, y] = [Math.floor(i / 3) % 40, Math.floor(i / 120)];
      const inside = x >= 8 && x < 24 && y >= 5 && y < 21;
      expect(value - photo.data[i]).toBe(inside ? 5 : 0);
    });
  });

  it('gives the model that was attacked its attacked image again', () => {
    const clean = cropFace(photo, box, same.crop, same.input);
    const adversarial = clean.map((value, i) => value + ((i * 7) % 5) - 2);
    expect(cropFace(carryChange(photo, box, same, adversarial), box, same.crop, same.input)).toEqual(
      adversarial,
    );
  });

  it.each([8, 32])('keeps an even change even at a size of %i', (side) => {
    const view = { crop: crop({ scale: 1.5 }), input: { height: side, width: side } };
    const clean = cropFace(photo, box, view.crop, view.input);
    const { data } = carryChange(photo, box, view, changed(clean, 4));
    const differences = new Set(data.map((value, i) => value - photo.data[i]));
    expect([...differences].sort()).toEqual([0, 4]);
  });

  it('takes a crop that leaves the photograph', () => {
    const view = { crop: crop({ scale: 4 }), input: { height: 16, width: 16 } };
    const clean = cropFace(photo, box, view.crop, view.input);
    const { data } = carryChange(photo, box, view, changed(clean, 3));
    expect(data.every((value, i) => value - photo.data[i] === 3)).toBe(true);
  });

  it('takes the whole photograph for the face where there is no box', () => {
    const view = { input: { height: 30, width: 40 } };
    const { data } = carryChange(photo, undefined, view, changed(photo.data, 2));
    expect(data.every((value, i) => value - photo.data[i] === 2)).toBe(true);
  });

  it('refuses an attacked crop of another size', () => {
    expect(() => carryChange(photo, box, same, new Uint8Array(5))).toThrow(
      'has 5 values, its model sees 768',
    );
  });
});
