import { expect, it } from 'vitest';
import { agreement, relativeToLargest } from './agreement.js';

it('two gradients that are the same agree', () => {
  expect(agreement([1, -2, 0], [1, -2, 0])).toEqual({ cosine: 1, relativeError: 0, signsAgree: 1 });
});

it('measures angle, error and signs', () => {
  const { cosine, relativeError, signsAgree } = agreement([3, 0], [3, 4]);
  expect(cosine).toBeCloseTo(0.6, 12);
  expect(relativeError).toBeCloseTo(0.8, 12);
  expect(signsAgree).toBe(0.5);
  expect(agreement([-3, -4], [3, 4])).toEqual({ cosine: -1, relativeError: 2, signsAgree: 0 });
});

it('does not take two zeros, or a NaN, for agreement', () => {
  expect(agreement([0, 0], [0, 0]).cosine).toBeNaN();
  expect(agreement([NaN, 1], [1, 1]).relativeError).toBeNaN();
  expect(relativeToLargest([NaN, 2], [1, 2])).toBeNaN();
  expect(relativeToLargest([0, 0], [0, 0])).toBeNaN();
});

it('relates the largest difference to the largest value', () => {
  expect(relativeToLargest([1, -3.5], [1, -4])).toBe(0.125);
});

it('refuses other lengths', () => {
  expect(() => agreement([1], [1, 2])).toThrow(RangeError);
  expect(() => relativeToLargest([1], [1, 2])).toThrow(RangeError);
});
