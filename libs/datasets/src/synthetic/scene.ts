/** A picture together with what a medium in it reflects: light that is added is always written down as well. */
import { cosineOfTurns, hill, sineOfTurns, smoothstep } from '../numerics.js';
import type { Picture } from './background.js';
import type { Geometry } from './geometry.js';
import type { Random } from './random.js';

/** A picture and what the medium in it reflects, added light per pixel. */
export interface Scene {
  readonly picture: Picture;
  readonly geometry: Geometry;
  readonly reflection: Float32Array;
}

export function reflect(scene: Scene, i: number, light: number): void {
  if (light <= 0) return;
  scene.reflection[i] += light;
  for (let c = 3 * i; c < 3 * i + 3; c++) scene.picture[c] += light;
}

/** Light across the whole medium, stronger to one side. */
export function sheen(scene: Scene, region: Float32Array | undefined, amount: number, random: Random): void {
  const { size } = scene.geometry;
  const angle = random.uniform(0, 1);
  const dx = cosineOfTurns(angle) / size;
  const dy = sineOfTurns(angle) / size;
  const offset = random.uniform(-0.2, 0.2);
  for (let row = 0, i = 0; row < size; row++) {
    for (let column = 0; column < size; column++, i++) {
      const t = smoothstep(-0.5, 0.6, (column - size / 2) * dx + (row - size / 2) * dy + offset);
      reflect(scene, i, amount * t * (region === undefined ? 1 : region[i]));
    }
  }
}

/** A lamp or a window in the medium: a soft ellipse around (u, v), in half image widths. */
export function glare(
  scene: Scene,
  u: number,
  v: number,
  radius: number,
  amount: number,
  random: Random,
): void {
  const { size } = scene.geometry;
  const stretch = random.uniform(1, 2.5);
  const angle = random.uniform(0, 1);
  const [cosine, sine] = [cosineOfTurns(angle), sineOfTurns(angle)];
  for (let row = 0, i = 0; row < size; row++) {
    const dv = ((row + 0.5) * 2) / size - 1 - v;
    for (let column = 0; column < size; column++, i++) {
      const du = ((column + 0.5) * 2) / size - 1 - u;
      const along = (du * cosine + dv * sine) / (radius * stretch);
      const across = (dv * cosine - du * sine) / radius;
      reflect(scene, i, amount * hill(along * along + across * across));
    }
  }
}
