/** The head's own colours, before any light: skin, eyes, mouth, hair, beard, glasses, hat, clothes. */
import { clamp01, hill, sineOfTurns, smoothstep } from '../numerics.js';
import type { Picture } from './background.js';
import { EYE, MOUTH_Y, SHOULDER_Y, SKULL, sq, type Geometry } from './geometry.js';
import { mix, type Colour, type Look, type Person } from './person.js';
import type { Random } from './random.js';

const EYE_WHITE: Colour = [0.93, 0.92, 0.9];
const PUPIL: Colour = [0.04, 0.04, 0.05];
const MOUTH_INSIDE: Colour = [0.28, 0.07, 0.08];
const TEETH: Colour = [0.92, 0.9, 0.86];
const LIPSTICK: Colour = [0.72, 0.1, 0.2];
const ROSE: Colour = [0.9, 0.42, 0.42];

/** Lays a colour over a pixel of `picture`, which starts at `i`. */
function over(picture: Picture, i: number, colour: Colour, share: number): void {
  if (share <= 0) return;
  for (let c = 0; c < 3; c++) picture[i + c] += (colour[c] - picture[i + c]) * share;
}

export function paintPerson(
  picture: Picture,
  geometry: Geometry,
  person: Person,
  look: Look,
  random: Random,
): void {
  const { x, y, face, body, pixel } = geometry;
  const dark = mix(person.skin, [0, 0, 0], 0.45);
  const frame: Colour = random.chance(0.5) ? [0.06, 0.06, 0.07] : [0.35, 0.18, 0.1];
  const lips = look.lipstick ? LIPSTICK : mix(person.skin, [0.7, 0.25, 0.26], 0.55);
  const strands = random.uniform(5, 9);
  for (let i = 0, j = 0; i < body.length; i++, j += 3) {
    if (body[i] === 0 && Math.abs(x[i]) > 1.5) continue;
    const px = x[i];
    const py = y[i];
    const behind = hairBehind(person, px, py, pixel);
    const hair = 1 + 0.12 * sineOfTurns(px * strands + py * py);
    const hairColour: Colour = [person.hair[0] * hair, person.hair[1] * hair, person.hair[2] * hair];
    over(picture, j, hairColour, behind);
    if (body[i] > 0) {
      if (py > 0.5) {
        over(picture, j, dark, smoothstep(0.5 + pixel, 0.5 - pixel, Math.abs(px)));
        over(picture, j, look.clothes, smoothstep(SHOULDER_Y, SHOULDER_Y + pixel * 2, py - px * px * 0.16));
      }
      if (face[i] > 0) {
        // Pores and blotches: fine texture that a medium loses.
        const grain = 1 + 0.035 * random.normal();
        over(picture, j, [person.skin[0] * grain, person.skin[1] * grain, person.skin[2] * grain], face[i]);
        const fx = px - look.yaw * Math.sqrt(clamp01(1 - px * px - py * py));
        paintFeatures(picture, j, person, look, lips, hairColour, fx, py, pixel);
      }
    }
    if (!person.bald) over(picture, j, hairColour, hairInFront(person, px, py, pixel));
    if (look.glasses && face[i] > 0) over(picture, j, frame, glasses(px - look.yaw * 0.9, py, pixel) * 0.92);
    if (look.hat !== undefined) over(picture, j, look.hat, hat(px, py, pixel));
  }
}

function paintFeatures(
  picture: Picture,
  j: number,
  person: Person,
  look: Look,
  lips: Colour,
  hair: Colour,
  x: number,
  y: number,
  pixel: number,
): void {
  const side = Math.abs(x);
  const ex = side - EYE.x;
  if (person.rosy) over(picture, j, ROSE, 0.5 * hill(sq((side - 0.5) / 0.3) + sq((y - 0.25) / 0.2)));
  if (Math.abs(ex) < 0.3 && y < 0.1 && y > -0.5) {
    const lid = Math.sqrt(sq(ex / 0.2) + sq((y - EYE.y) / (person.eyeOpening * 1.5)));
    over(picture, j, mix(person.skin, [0.15, 0.08, 0.06], 0.6), 0.7 * smoothstep(1.25, 0.95, lid));
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
      person.bald ? [0.2, 0.14, 0.1] : mix(hair, [0.08, 0.06, 0.05], 0.4),
      0.85 *
        smoothstep(browHeight + pixel, browHeight - pixel / 2, Math.abs(brow)) *
        smoothstep(0.27, 0.2, Math.abs(ex)),
    );
  }
  over(
    picture,
    j,
    mix(person.skin, [0.1, 0.03, 0.02], 0.7),
    0.8 * hill(sq((side - person.nose * 0.45) / 0.07) + sq((y - 0.3) / 0.05)),
  );
  paintBeard(picture, j, person, hair, x, y);
  // The mouth's line bends with the smile; its corners stand at +-0.34.
  const line = y - MOUTH_Y + look.smile * (sq(x / 0.3) - 0.4);
  const width = clamp01(1 - sq(x / 0.36));
  if (width > 0) {
    const half = (person.lips + look.gap) * Math.sqrt(width);
    over(picture, j, lips, smoothstep(half + pixel / 2, half - pixel / 2, Math.abs(line)));
    if (look.gap > 0) {
      const open = look.gap * Math.sqrt(width);
      const inside = smoothstep(open + pixel / 2, open - pixel / 2, Math.abs(line));
      over(picture, j, look.smile > 0.03 && line < 0.02 ? TEETH : MOUTH_INSIDE, inside);
    } else over(picture, j, MOUTH_INSIDE, 0.8 * smoothstep(0.03, 0.008, Math.abs(line)));
  }
}

function paintBeard(picture: Picture, j: number, person: Person, hair: Colour, x: number, y: number): void {
  if (person.beard === 'none' || y < 0.1) return;
  const moustache = hill(sq(x / 0.36) + sq((y - 0.39) / 0.1));
  const chin = smoothstep(0.3, 0.2, Math.abs(x)) * smoothstep(0.6, 0.7, y);
  const cheeks = smoothstep(0.28, 0.4, y + 0.35 * x * x - 0.12);
  const share =
    person.beard === 'shadow'
      ? 0.38 * cheeks
      : person.beard === 'mustache'
        ? moustache * 1.6
        : person.beard === 'goatee'
          ? chin
          : Math.max(moustache * 1.6, cheeks);
  over(picture, j, mix(hair, [0.1, 0.08, 0.07], 0.3), clamp01(share) * 0.9);
}

/** Hair beside the face and the neck. */
function hairBehind(person: Person, x: number, y: number, pixel: number): number {
  if (person.bald) return 0;
  const r = Math.sqrt(x * x + Math.min(y, 0) * Math.min(y, 0)) / (SKULL + 0.06);
  return (
    smoothstep(1 + pixel, 1 - pixel, r) * smoothstep(person.hairLength + 0.05, person.hairLength - 0.05, y)
  );
}

/** Hair over the forehead and the temples. */
function hairInFront(person: Person, x: number, y: number, pixel: number): number {
  const skull = Math.sqrt(x * x + y * y * 1.06) / SKULL;
  const line = person.bangs ? -0.36 : person.receding ? -0.82 + 0.25 * Math.abs(x) : -0.62 + 0.35 * x * x;
  return smoothstep(1 + pixel, 1 - pixel, skull) * smoothstep(line + pixel, line - pixel, y);
}

function glasses(x: number, y: number, pixel: number): number {
  const lens = Math.sqrt(sq((Math.abs(x) - EYE.x) / 0.31) + sq((y - EYE.y) / 0.2));
  const rim = smoothstep(0.12 + pixel, 0.12, Math.abs(lens - 1));
  const bridge = Math.abs(x) < 0.12 ? smoothstep(0.03 + pixel, 0.03, Math.abs(y - EYE.y + 0.04)) : 0;
  const temple = Math.abs(x) > 0.68 ? smoothstep(0.03 + pixel, 0.03, Math.abs(y - EYE.y + 0.05)) : 0;
  return Math.max(rim, bridge, temple);
}

function hat(x: number, y: number, pixel: number): number {
  const crown = Math.sqrt(x * x + y * y * 0.9) / (SKULL + 0.03);
  const cap = smoothstep(1 + pixel, 1 - pixel, crown) * smoothstep(-0.5 + pixel, -0.5 - pixel, y);
  const brim = smoothstep(1.3 + pixel, 1.3, Math.abs(x)) * smoothstep(0.05 + pixel, 0.05, Math.abs(y + 0.5));
  return Math.max(cap, brim);
}
