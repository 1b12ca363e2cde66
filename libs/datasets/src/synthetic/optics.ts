/** What paper, screens and lenses all do to a picture: blur it, tint it, put an edge around it. */
import { smoothstep } from '../numerics.js';
import type { Picture } from './background.js';
import type { Colour } from './person.js';
import type { Random } from './random.js';

/** One pass of a 3x3 binomial-like kernel; `amount` in [0, 1/3] is the weight of each neighbour along an axis. */
export function blurred(picture: Picture, size: number, amount: number): Picture {
  const across = new Float32Array(picture.length);
  const row = 3 * size;
  const centre = 1 - 2 * amount;
  for (let start = 0; start < picture.length; start += row) {
    for (let k = 0; k < row; k++) {
      const left = k >= 3 ? k - 3 : k;
      const right = k < row - 3 ? k + 3 : k;
      across[start + k] =
        centre * picture[start + k] + amount * (picture[start + left] + picture[start + right]);
    }
  }
  const out = new Float32Array(picture.length);
  const last = picture.length - row;
  for (let i = 0; i < picture.length; i++) {
    const above = i >= row ? i - row : i;
    const below = i < last ? i + row : i;
    out[i] = centre * across[i] + amount * (across[above] + across[below]);
  }
  return out;
}

/** How a medium or a camera changes colours: towards grey, into a range, times a tint. */
export interface Gamut {
  /** 0 keeps colours, 1 makes them grey. */
  readonly fade: number;
  readonly black: number;
  readonly white: number;
  readonly tint: Colour;
}

/** Applies a gamut where `region` (1 everywhere if absent) says so. */
export function applyGamut(picture: Picture, gamut: Gamut, region: Float32Array | undefined): void {
  const span = gamut.white - gamut.black;
  for (let i = 0, p = 0; i < picture.length; i += 3, p++) {
    const share = region === undefined ? 1 : region[p];
    if (share === 0) continue;
    const grey = 0.3 * picture[i] + 0.59 * picture[i + 1] + 0.11 * picture[i + 2];
    for (let c = 0; c < 3; c++) {
      const value = picture[i + c];
      const faded = value + (grey - value) * gamut.fade;
      picture[i + c] += ((gamut.black + span * faded) * gamut.tint[c] - value) * share;
    }
  }
}

/** The edge of a screen, a print or, around a live face, of a window or door: some sides of a rectangle. */
export function paintFrame(picture: Picture, size: number, colour: Colour, random: Random): void {
  // Negative: that side lies outside the picture.
  const depth = (): number => random.uniform(-0.06, 0.13);
  const [left, right, top, bottom] = [depth(), depth(), depth(), depth()];
  const soft = 1 / size;
  for (let row = 0, i = 0; row < size; row++) {
    const v = (row + 0.5) / size;
    for (let column = 0; column < size; column++, i += 3) {
      const u = (column + 0.5) / size;
      const inside = Math.min(u - left, 1 - right - u, v - top, 1 - bottom - v);
      const share = smoothstep(soft, -soft, inside);
      if (share > 0) for (let c = 0; c < 3; c++) picture[i + c] += (colour[c] - picture[i + c]) * share;
    }
  }
}

/** Lays `share` of another picture over this one, where `region` (1 everywhere if absent) says so. */
export function blend(
  picture: Picture,
  other: Picture,
  region: Float32Array | undefined,
  share: number,
): void {
  for (let i = 0, p = 0; i < picture.length; i += 3, p++) {
    const t = region === undefined ? share : share * region[p];
    for (let c = i; c < i + 3; c++) picture[c] += (other[c] - picture[c]) * t;
  }
}

export const paperWhite = (random: Random): Colour => {
  const white = random.uniform(0.7, 0.98);
  return [white, white * random.uniform(0.96, 1), white * random.uniform(0.9, 1)];
};
