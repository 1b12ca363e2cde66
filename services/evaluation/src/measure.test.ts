import { expect, it } from 'vitest';
import { formatEpsilon } from './measure.js';

it('writes an epsilon as people do, so that one threat model is one series', () => {
  expect(formatEpsilon(2 / 255)).toBe('2/255');
  expect(formatEpsilon(0.00784313725)).toBe('2/255');
  expect(formatEpsilon(0.5 / 255)).toBe('0.00196');
  expect(formatEpsilon(0.1)).toBe('0.1');
  expect(formatEpsilon(1)).toBe('255/255');
});
