/** The head's own colours, before any light: skin, hair, glasses, hat, and the clothes below it. */
import { clamp01, sineOfTurns, smoothstep } from '../numerics.js';
import type { Picture } from './background.js';
import { over, paintFeatures, paletteOf } from './features.js';
import { EYE, SHOULDER_Y, SKULL, sq, type Geometry } from './geometry.js';
import { mix, type Colour, type Look, type Person } from './person.js';
import type { Random } from './random.js';

export function paintPerson(
  picture: Picture,
  geometry: Geometry,
  person: Person,
  look: Look,
  random: Random,
): void {
  const { x, y, face, body, pixel } = geometry;
  const palette = paletteOf(person, look);
  const neck = mix(person.skin, [0, 0, 0], 0.45);
  const frame: Colour = random.chance(0.5) ? [0.06, 0.06, 0.07] : [0.35, 0.18, 0.1];
  const strands = random.uniform(5, 9);
  for (let i = 0, j = 0; i < body.length; i++, j += 3) {
    const px = x[i];
    const py = y[i];
    if (body[i] === 0 && Math.abs(px) > 1.5) continue;
    const strand = 1 + 0.12 * sineOfTurns(px * strands + py * py);
    if (!person.bald) over(picture, j, person.hair, hairBehind(person, px, py, pixel), strand);
    if (body[i] > 0 && py > 0.5) {
      over(picture, j, neck, smoothstep(0.5 + pixel, 0.5 - pixel, Math.abs(px)));
      over(picture, j, look.clothes, smoothstep(SHOULDER_Y, SHOULDER_Y + pixel * 2, py - px * px * 0.16));
    }
    if (face[i] > 0) {
      // Pores and blotches: fine texture that a medium loses.
      over(picture, j, person.skin, face[i], 1 + 0.035 * random.normal());
      const fx = px - look.yaw * Math.sqrt(clamp01(1 - px * px - py * py));
      paintFeatures(picture, j, person, look, palette, fx, py, pixel);
    }
    if (!person.bald) over(picture, j, person.hair, hairInFront(person, px, py, pixel), strand);
    if (look.glasses && face[i] > 0) over(picture, j, frame, glasses(px - look.yaw * 0.9, py, pixel) * 0.92);
    if (look.hat !== undefined) over(picture, j, look.hat, hat(px, py, pixel));
  }
}

/** Hair beside the face and the neck. */
function hairBehind(person: Person, x: number, y: number, pixel: number): number {
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
