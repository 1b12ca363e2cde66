import { expect, it } from 'vitest';
import {
  ATTRIBUTES,
  AUXILIARY_FACETS,
  CLASSES,
  DECISION_FACET,
  ILLUMINATIONS,
  LIVE,
  SPOOF,
  SPOOF_TYPES,
  TEXTURE,
} from './taxonomy.js';
import { FacetName } from './names.js';

it('counts live as class 0 and spoof as class 1', () => {
  expect(CLASSES[LIVE]).toBe('live');
  expect(CLASSES[SPOOF]).toBe('spoof');
  expect([LIVE, SPOOF]).toEqual([0, 1]);
});

it('keeps the indices of CelebA-Spoof', () => {
  expect(SPOOF_TYPES).toHaveLength(11);
  expect([0, 1, 3, 7, 8, 9, 10].map((index) => SPOOF_TYPES[index])).toEqual([
    'live',
    'photo',
    'a4',
    'pc',
    'pad',
    'phone',
    '3d-mask',
  ]);
  expect(ILLUMINATIONS).toEqual(['live', 'normal', 'strong', 'back', 'dark']);
});

it('keeps the 40 attributes in the order of CelebA, which is alphabetical', () => {
  expect(ATTRIBUTES).toHaveLength(40);
  expect(new Set(ATTRIBUTES).size).toBe(40);
  expect([...ATTRIBUTES].sort()).toEqual(ATTRIBUTES);
  expect([15, 20, 31, 39].map((index) => ATTRIBUTES[index])).toEqual([
    'eyeglasses',
    'male',
    'smiling',
    'young',
  ]);
});

it('names facets so that no two meet in a key', () => {
  const names = [DECISION_FACET, TEXTURE, ...AUXILIARY_FACETS];
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(FacetName.safeParse(name).success).toBe(true);
});
