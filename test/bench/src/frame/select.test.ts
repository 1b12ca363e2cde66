import { expect, it } from 'vitest';
import type { Part } from './part.js';
import { select } from './select.js';

const part = (name: string, cases: readonly string[]): Part => ({
  name,
  about: '',
  cases,
  async *run() {
    // Nothing to find.
  },
});
const [fast, right] = [part('fast', ['net-112/1', 'net-112/2', 'other/1']), part('right', ['net'])];

it.each([
  [[], [fast.cases, right.cases]],
  [['fast'], [fast.cases]],
  [['fast', 'net-112'], [['net-112/1', 'net-112/2']]],
  [['fast', 'other/1', 'net-112/2'], [['net-112/2', 'other/1']]],
])('%j selects cases in their order', (words, expected) => {
  expect(select([fast, right], words).map(({ cases }) => cases)).toEqual(expected);
});

it.each([
  [['slow'], 'there is no part "slow", only fast, right'],
  [
    ['fast', 'net-112', 'net-9'],
    'no case of "fast" begins with "net-9"; there are net-112/1, net-112/2, other/1',
  ],
])('%j is refused with what there is', (words, message) => {
  expect(() => select([fast, right], words)).toThrow(message);
});
