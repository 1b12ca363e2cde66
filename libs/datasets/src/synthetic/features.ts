/** What is in a face: eyes, brows, nostrils, mouth, cheeks and beard. */
import { clamp01, hill, smoothstep } from '../numerics.js';
import type { Picture } from './background.js';
import { EYE, MOUTH_Y, sq } from './geometry.js';
import { mix, type Colour, type Look, type Person } from './person.js';

const EYE_WHITE: Colour = [0.93, 0.92, 0.9];
const PUPIL: Colour = [0.04, 0.04, 0.05];
const MOUTH_INSIDE: Colour = [0.28, 0.07, 0.08];
const TEETH: Colour = [0.92, 0.9, 0.86];
const LIPSTICK: Colour = [0.72, 0.1, 0.2];
const ROSE: Colour = [0.9, 0.42, 0.42];

/** Lays `gain` times a colour over the pixel of `picture` that starts at `i`. */
export function over(picture: Picture, i: number, colour: Colour, share: number, gain = 1): void {
  if (share <= 0) return;
  picture[i] += (colour[0] * gain - picture[i]) * share;
  picture[i + 1] += (colour[1] * gain - picture[i + 1]) * share;
  picture[i + 2] += (colour[2] * gain - picture[i + 2]) * share;
}

/** The colours of one face, mixed once. */
interface Palette {
  readonly lid: Colour;
  readonly brow: Colour;
  readonly nostril: Colour;
  readonly lips: Colour;
  readonly beard: Colour;
}

export const paletteOf = (person: Person, look: Look): Palette => ({
  lid: mix(person.skin, [0.15, 0.08, 0.06], 0.6),
  brow: person.bald ? [0.2, 0.14, 0.1] : mix(person.hair, [0.08, 0.06, 0.05], 0.4),
  nostril: mix(person.skin, [0.1, 0.03, 0.02], 0.7),
  lips: look.lipstick ? LIPSTICK : mix(person.skin, [0.7, 0.25, 0.26], 0.55),
  beard: mix(person.hair, [0.1, 0.08, 0.07], 0.3),
});

/** Paints one pixel of the face; x and y are its face coordinates, the head's turn taken into account. */
export function paintFeatures(
  picture: Picture,
  j: number,
  person: Person,
  look: Look,
  palette: Palette,
  x: number,
  y: number,
  pixel: number,
): void {
  const side = Math.abs(x);
  const ex = side - EYE.x;
  if (person.rosy) over(picture, j, ROSE, 0.5 * hill(sq((side - 0.5) / 0.3) + sq((y - 0.25) / 0.2)));
  if (Math.abs(ex) < 0.3 && y < 0.1 && y > -0.5) {
    const lid = Math.sqrt(sq(ex / 0.2) + sq((y - EYE.y) / (person.eyeOpening * 1.5)));
    over(picture, j, palette.lid, 0.7 * smoothstep(1.25, 0.95, lid));
    const white = smoothstep(1.05, 0.8, lid);
    over(picture, j, EYE_WHITE, white);
    const iris = Math.sqrt(sq(ex) + sq((y - EYE.y) * 1.25));
    over(picture, j, person.iris, white * smoothstep(0.105 + pixel / 2, 0.105 - pixel / 2, iris));
    over(picture, j, PUPIL, white * smoothstep(0.05 + pixel / 2, 0.05 - pixel / 2, iris));
    const brow = y + 0.34 + 0.35 * sq(ex);
    const browHeight = person.brows;
    over(
      picture,
      j,
      palette.brow,
      0.85 *
        smoothstep(browHeight + pixel, browHeight - pixel / 2, Math.abs(brow)) *
        smoothstep(0.27, 0.2, Math.abs(ex)),
    );
  }
  over(
    picture,
    j,
    palette.nostril,
    0.8 * hill(sq((side - person.nose * 0.45) / 0.07) + sq((y - 0.3) / 0.05)),
  );
  if (person.beard !== 'none' && y > 0.1) over(picture, j, palette.beard, beard(person, x, y));
  // The mouth's line bends with the smile; its corners stand at +-0.34.
  const line = y - MOUTH_Y + look.smile * (sq(x / 0.3) - 0.4);
  const width = clamp01(1 - sq(x / 0.36));
  if (width > 0) {
    const half = (person.lips + look.gap) * Math.sqrt(width);
    over(picture, j, palette.lips, smoothstep(half + pixel / 2, half - pixel / 2, Math.abs(line)));
    if (look.gap > 0) {
      const open = look.gap * Math.sqrt(width);
      const inside = smoothstep(open + pixel / 2, open - pixel / 2, Math.abs(line));
      over(picture, j, look.smile > 0.03 && line < 0.02 ? TEETH : MOUTH_INSIDE, inside);
    } else over(picture, j, MOUTH_INSIDE, 0.8 * smoothstep(0.03, 0.008, Math.abs(line)));
  }
}

function beard(person: Person, x: number, y: number): number {
  const moustache = Math.min(0.9, 1.5 * hill(sq(x / 0.36) + sq((y - 0.39) / 0.1)));
  if (person.beard === 'mustache') return moustache;
  if (person.beard === 'goatee') return 0.9 * smoothstep(0.3, 0.2, Math.abs(x)) * smoothstep(0.6, 0.7, y);
  const cheeks = smoothstep(0.28, 0.4, y + 0.35 * x * x - 0.12);
  return person.beard === 'shadow' ? 0.34 * cheeks : Math.max(moustache, 0.9 * cheeks);
}
