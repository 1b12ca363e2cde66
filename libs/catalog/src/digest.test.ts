import { expect, it } from 'vitest';
import { digestOf, sha256 } from './digest.js';

it('is SHA-256', () => {
  // FIPS 180-2, appendix B.1.
  expect(sha256('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  expect(sha256(new TextEncoder().encode('abc'))).toBe(sha256('abc'));
});

it('depends on a value, not on how it is written', () => {
  expect(digestOf({ a: 1, b: [2, false], c: undefined })).toBe(digestOf({ b: [2, false], a: 1 }));
  expect(digestOf({ a: 1 })).not.toBe(digestOf({ a: '1' }));
  expect(digestOf([1, 2])).not.toBe(digestOf([2, 1]));
  expect(() => digestOf({ a: Number.NaN })).toThrow(TypeError);
});
