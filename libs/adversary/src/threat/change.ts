/** How far 8-bit images lie apart, in the units of threat models: counted in whole levels, so that nothing is rounded. */
import type { Norm } from '@facet/contracts';
import { LEVELS } from './quantise.js';

/** The largest change of a value, and the root of the mean squared one, as fractions of the range. */
export function changeOf(image: Uint8Array, clean: Uint8Array): Readonly<Record<Norm, number>> {
  let [largest, squares] = [0, 0];
  for (let i = 0; i < image.length; i++) {
    const change = Math.abs(image[i] - clean[i]);
    if (change > largest) largest = change;
    squares += change * change;
  }
  return { linf: largest / LEVELS, l2: Math.sqrt(squares / image.length) / LEVELS };
}
