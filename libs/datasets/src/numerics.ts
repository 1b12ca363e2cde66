/**
 * Functions made of additions and multiplications alone. ECMAScript fixes those, and `Math.sqrt`, to the last
 * bit, but leaves `Math.sin`, `exp` and `pow` to the engine: with these here the same seed gives the same bytes
 * on every machine.
 */

/** sin(2 pi t) for any finite t; absolute error below 1e-9. */
export function sineOfTurns(t: number): number {
  // To [-1/4, 1/4] of a turn, where the odd Taylor series converges fast.
  let x = t - Math.floor(t + 0.5);
  if (x > 0.25) x = 0.5 - x;
  else if (x < -0.25) x = -0.5 - x;
  const a = x * 6.283185307179586;
  const q = a * a;
  return a * (1 + q * (S3 + q * (S5 + q * (S7 + q * (S9 + q * (S11 + q * S13))))));
}

/** Taylor coefficients of the sine, (-1)^k / (2k + 1)!. */
const S3 = -1 / 6;
const S5 = 1 / 120;
const S7 = -1 / 5040;
const S9 = 1 / 362880;
const S11 = -1 / 39916800;
const S13 = 1 / 6227020800;

export const cosineOfTurns = (t: number): number => sineOfTurns(t + 0.25);

export const clamp01 = (x: number): number => (x < 0 ? 0 : x > 1 ? 1 : x);

/** Rises smoothly from 0 at `from` to 1 at `to`; falls where `to` is smaller. */
export function smoothstep(from: number, to: number, x: number): number {
  const t = clamp01((x - from) / (to - from));
  return t * t * (3 - 2 * t);
}

/** A hill of height 1 and radius 1 over squared distance: what a Gaussian would be, without `exp`. */
export function hill(squaredDistance: number): number {
  if (squaredDistance >= 1) return 0;
  const t = 1 - squaredDistance;
  return t * t;
}

/** To a byte, value 1 becoming 255: rounded half up, clipped. */
export const toByte = (x: number): number => (x <= 0 ? 0 : x >= 1 ? 255 : Math.floor(x * 255 + 0.5));
