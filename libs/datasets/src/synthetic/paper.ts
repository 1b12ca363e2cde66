/** Attacks on paper: the whole picture printed, or a print cut to shape and worn. */
import { cosineOfTurns, sineOfTurns } from '../numerics.js';
import { applyGamut, blend, blurred } from './optics.js';
import type { Random } from './random.js';
import { sheen, type Scene } from './scene.js';

/** Ink on paper: a smaller gamut, the soft image of a printer, its halftone dots, a broad sheen. */
export function print(
  scene: Scene,
  region: Float32Array | undefined,
  strength: number,
  random: Random,
): void {
  const { size } = scene.geometry;
  const soft = blurred(scene.picture, size, 0.2);
  blend(scene.picture, soft, region, 0.75 * strength);
  const gamut = {
    fade: 0.3 * strength,
    black: 0.12 * strength,
    white: 1 - 0.1 * strength,
    tint: [1, random.uniform(0.95, 1), random.uniform(0.9, 1.02)] as const,
  };
  applyGamut(scene.picture, gamut, region);
  const period = random.uniform(2.7, 4.2);
  const angle = random.uniform(0, 0.25);
  const fx = ((64 / size) * cosineOfTurns(angle)) / period;
  const fy = ((64 / size) * sineOfTurns(angle)) / period;
  const phases = [random.uniform(0, 1), random.uniform(0, 1), random.uniform(0, 1)];
  const depth = 0.25 * strength;
  for (let row = 0, i = 0; row < size; row++) {
    for (let column = 0; column < size; column++, i++) {
      const share = region === undefined ? 1 : region[i];
      if (share === 0) continue;
      const along = column * fx + row * fy;
      const across = row * fx - column * fy;
      for (let c = 0; c < 3; c++) {
        const dot = sineOfTurns(along + phases[c]) * sineOfTurns(across + phases[c]);
        scene.picture[3 * i + c] *= 1 + depth * share * dot;
      }
    }
  }
  sheen(scene, region, 0.11 * strength, random);
}

/** A print cut to shape and worn: print inside, a shadow along the cut. */
export function cutOut(scene: Scene, region: Float32Array, strength: number, random: Random): void {
  print(scene, region, Math.min(1, strength * 1.4), random);
  const { picture } = scene;
  for (let i = 0; i < region.length; i++) {
    const edge = 4 * region[i] * (1 - region[i]);
    for (let c = 0; c < 3; c++) picture[3 * i + c] *= 1 - 0.5 * strength * edge;
  }
}
