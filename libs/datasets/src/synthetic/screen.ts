/** Attacks on a screen: a telephone or a tablet held before the camera. */
import { cosineOfTurns, sineOfTurns } from '../numerics.js';
import { applyGamut, paintFrame } from './optics.js';
import type { Colour } from './person.js';
import type { Random } from './random.js';
import { glare, sheen, type Scene } from './scene.js';

interface Screen {
  readonly tint: Colour;
  /** Amplitudes at strength 1, period of the beat in pixels of a 64-pixel picture. */
  readonly moire: number;
  readonly beat: readonly [number, number];
  readonly grid: number;
  readonly glare: number;
  readonly glareSize: readonly [number, number];
  readonly bezel: Colour;
}
export const PHONE: Screen = {
  tint: [0.94, 1, 1.08],
  moire: 0.14,
  beat: [7, 16],
  grid: 0.11,
  glare: 0.5,
  glareSize: [0.12, 0.35],
  bezel: [0.04, 0.04, 0.05],
};
export const PAD: Screen = {
  tint: [1.03, 1, 0.95],
  moire: 0.13,
  beat: [12, 26],
  grid: 0.1,
  glare: 0.38,
  glareSize: [0.25, 0.6],
  bezel: [0.1, 0.1, 0.11],
};

/** A screen: its tint and raised black, moire between its pixels and the camera's, their grid, glare, bezel. */
export function replay(scene: Scene, screen: Screen, strength: number, random: Random): void {
  const { size } = scene.geometry;
  const { picture } = scene;
  const s = strength;
  applyGamut(
    picture,
    {
      fade: -0.15 * s,
      black: 0.07 * s,
      white: 1 + 0.03 * s,
      tint: [1 + (screen.tint[0] - 1) * s, 1, 1 + (screen.tint[2] - 1) * s],
    },
    undefined,
  );
  const scale = 64 / size;
  const beat = random.uniform(...screen.beat);
  const angle = random.uniform(0, 1);
  const mx = (scale * cosineOfTurns(angle)) / beat;
  const my = (scale * sineOfTurns(angle)) / beat;
  const bend = (random.uniform(-0.6, 0.6) * scale * scale) / (64 * beat);
  const shift = random.uniform(0.1, 0.35);
  const pitch = scale / random.uniform(2.1, 3.1);
  for (let row = 0, i = 0; row < size; row++) {
    const line = 1 + screen.grid * s * sineOfTurns(row * pitch);
    for (let column = 0; column < size; column++) {
      const across = 0.5 * screen.grid * s * sineOfTurns(column * pitch);
      const wave = column * mx + row * my + bend * column * row;
      for (let c = 0; c < 3; c++, i++)
        picture[i] *= line + across + screen.moire * s * sineOfTurns(wave + c * shift);
    }
  }
  sheen(scene, undefined, 0.08 * s, random);
  if (random.chance(0.6)) {
    const radius = random.uniform(...screen.glareSize);
    glare(scene, random.uniform(-0.9, 0.9), random.uniform(-0.9, 0.9), radius, screen.glare * s, random);
  }
  if (random.chance(0.3)) paintFrame(picture, size, screen.bezel, random);
}
