/**
 * How far an adversarial image is from its original, measured on what is stored: 8-bit values, 0..255, given as
 * fractions of that range. Images are flat arrays of equal length in any layout. Throws a RangeError for empty
 * images and for different lengths.
 */

/** White: what a fraction of 1 stands for. */
export const WHITE = 255;

/** Largest change of any pixel value, in [0,1]. */
export function linf(a: Uint8Array, b: Uint8Array): number {
  checkLengths(a, b);
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i] - b[i]));
  return largest / WHITE;
}

/**
 * Root of the mean squared change per pixel value, in [0,1]: the Euclidean norm over the root of the number of
 * values, which is the unit of an L2 threat model's epsilon, and means alike at every size.
 */
export const l2 = (a: Uint8Array, b: Uint8Array): number => Math.sqrt(meanSquare(a, b)) / WHITE;

/** Peak signal-to-noise ratio in decibels over all values; null for equal images, for which it is infinite. */
export function psnr(a: Uint8Array, b: Uint8Array): number | null {
  const error = meanSquare(a, b);
  return error === 0 ? null : 10 * Math.log10(WHITE ** 2 / error);
}

function meanSquare(a: Uint8Array, b: Uint8Array): number {
  checkLengths(a, b);
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return sum / a.length;
}

export function checkLengths(a: Uint8Array, b: Uint8Array): void {
  if (a.length !== b.length) throw new RangeError(`images have ${a.length} and ${b.length} values`);
  if (a.length === 0) throw new RangeError('images are empty');
}
