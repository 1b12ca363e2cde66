import { expect, it } from 'vitest';
import {
  counted,
  epsilonText,
  intervalText,
  normText,
  percent,
  percentage,
  points,
  scalar,
} from './format.js';

it('writes rates in percent, and null as a dash', () => {
  expect(percentage(0.7144)).toBe('71.4');
  expect(percent(0.7144)).toBe('71.4\u00a0%');
  expect(percent(1, 0)).toBe('100\u00a0%');
  expect(percent(null)).toBe('–');
});

it.each([
  [0.388, '+38.8'],
  [-0.012, '−1.2'],
  [0, '0.0'],
  [-0.0004, '0.0'],
  [null, '–'],
])('writes a difference of %s as %s points', (difference, text) => {
  expect(points(difference)).toBe(text);
});

it.each([
  [1 / 255, '1/255'],
  [8 / 255, '8/255'],
  [0.5 / 255, '0.5/255'],
  [0.01, '2.55/255'],
  [1, '255/255'],
])('writes an epsilon of %d as %s', (epsilon, text) => {
  expect(epsilonText(epsilon)).toBe(text);
});

it('writes scores in four digits, with a minus sign', () => {
  expect(scalar(0.537123)).toBe('0.5371');
  expect(scalar(-12.5)).toBe('−12.5');
  expect(scalar(null)).toBe('–');
});

it('writes intervals, norms and counts', () => {
  expect(intervalText([0.672, 0.746])).toBe('67.2–74.6\u00a0%');
  expect(intervalText(null)).toBe('no interval');
  expect([normText('linf'), normText('l2')]).toEqual(['L∞', 'L2']);
  expect([counted(1, 'sample'), counted(0, 'sample')]).toEqual(['1 sample', '0 samples']);
});
