/**
 * Presentation attacks: how a face looks on paper, on a screen or as a mask. Every cue is scaled by a strength
 * in [0.3, 1] of the picture's own, so that some attacks are nearly free of them. What a medium reflects is
 * added to the picture and written down: the true reflection map.
 */
import { clamp01, cosineOfTurns, hill, sineOfTurns, smoothstep } from '../numerics.js';
import type { Picture } from './background.js';
import { EYE, MOUTH_Y, sq, type Geometry } from './geometry.js';
import { applyGamut, blurred, paintFrame } from './optics.js';
import type { Colour } from './person.js';
import type { Random } from './random.js';

/** The PAI species that the renderer knows, by their names in CelebA-Spoof. */
export const SYNTHETIC_SPECIES = ['photo', 'phone', 'pad', '3d-mask', 'face-mask', 'region-mask'] as const;
export type SyntheticSpecies = (typeof SYNTHETIC_SPECIES)[number];

/** A picture and what the medium in it reflects, added light per pixel. */
export interface Scene {
  readonly picture: Picture;
  readonly geometry: Geometry;
  readonly reflection: Float32Array;
}

export function present(scene: Scene, species: SyntheticSpecies, random: Random): void {
  const strength = random.uniform(0.3, 1);
  switch (species) {
    case 'photo':
      print(scene, undefined, strength, random);
      if (random.chance(0.3)) paintFrame(scene.picture, scene.geometry.size, paperWhite(random), random);
      break;
    case 'phone':
      replay(scene, PHONE, strength, random);
      break;
    case 'pad':
      replay(scene, PAD, strength, random);
      break;
    case '3d-mask':
      mask(scene, strength, random);
      break;
    case 'face-mask':
      cutOut(scene, faceWithEyeHoles(scene.geometry), strength, random);
      break;
    case 'region-mask':
      cutOut(
        scene,
        random.chance(0.5) ? upperFace(scene.geometry) : lowerFace(scene.geometry),
        strength,
        random,
      );
      break;
  }
}

export const paperWhite = (random: Random): Colour => {
  const white = random.uniform(0.7, 0.98);
  return [white, white * random.uniform(0.96, 1), white * random.uniform(0.9, 1)];
};

/** Ink on paper: a smaller gamut, the soft image of a printer, its halftone dots, a broad sheen. */
function print(scene: Scene, region: Float32Array | undefined, strength: number, random: Random): void {
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
  const period = random.uniform(2.3, 3.6);
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
const PHONE: Screen = {
  tint: [0.94, 1, 1.08],
  moire: 0.14,
  beat: [7, 16],
  grid: 0.11,
  glare: 0.5,
  glareSize: [0.12, 0.35],
  bezel: [0.04, 0.04, 0.05],
};
const PAD: Screen = {
  tint: [1.03, 1, 0.95],
  moire: 0.13,
  beat: [12, 26],
  grid: 0.1,
  glare: 0.38,
  glareSize: [0.25, 0.6],
  bezel: [0.1, 0.1, 0.11],
};

/** A screen: its tint and raised black, moire between its pixels and the camera's, their grid, glare, bezel. */
function replay(scene: Scene, screen: Screen, strength: number, random: Random): void {
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

/** A moulded face: even, waxy skin, broad highlights, rims at its eye holes and its edge. */
function mask(scene: Scene, strength: number, random: Random): void {
  const { picture, geometry } = scene;
  const { x, y, face, pixel, size } = geometry;
  const region = faceWithEyeHoles(geometry);
  blend(picture, blurred(blurred(picture, size, 0.3), size, 0.3), region, strength * 0.9);
  applyGamut(
    picture,
    { fade: 0.28 * strength, black: 0.05 * strength, white: 1, tint: [1, 0.98, random.uniform(0.92, 1)] },
    region,
  );
  const top = random.uniform(-0.6, -0.3);
  const left = random.uniform(-0.3, 0.3);
  for (let i = 0; i < face.length; i++) {
    if (face[i] === 0) continue;
    const side = Math.abs(x[i]);
    const rim = Math.sqrt(sq((side - EYE.x) / 0.26) + sq((y[i] - EYE.y) / 0.17));
    const outline = Math.sqrt(x[i] * x[i] + y[i] * y[i]);
    const edge =
      Math.max(
        smoothstep(0.2 + pixel, 0.1, Math.abs(rim - 1)),
        smoothstep(0.05 + pixel, 0.02, Math.abs(outline - 0.95)),
      ) * face[i];
    for (let c = 0; c < 3; c++) picture[3 * i + c] *= 1 - 0.4 * strength * edge;
    const forehead = hill(sq((x[i] - left) / 0.55) + sq((y[i] - top) / 0.35));
    const cheeks = hill(sq((side - 0.5) / 0.28) + sq((y[i] - 0.22) / 0.3));
    const nose = hill(sq(x[i] / 0.14) + sq((y[i] - 0.12) / 0.35));
    reflect(scene, i, 0.26 * strength * Math.max(forehead, cheeks * 0.8, nose) * region[i]);
  }
}

/** A print cut to shape and worn: print inside, a shadow along the cut. */
function cutOut(scene: Scene, region: Float32Array, strength: number, random: Random): void {
  print(scene, region, Math.min(1, strength * 1.15), random);
  const { picture } = scene;
  for (let i = 0; i < region.length; i++) {
    const edge = 4 * region[i] * (1 - region[i]);
    for (let c = 0; c < 3; c++) picture[3 * i + c] *= 1 - 0.5 * strength * edge;
  }
}

/** Light across the whole medium, stronger to one side. */
function sheen(scene: Scene, region: Float32Array | undefined, amount: number, random: Random): void {
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

function glare(scene: Scene, u: number, v: number, radius: number, amount: number, random: Random): void {
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

function reflect(scene: Scene, i: number, light: number): void {
  if (light <= 0) return;
  scene.reflection[i] += light;
  for (let c = 3 * i; c < 3 * i + 3; c++) scene.picture[c] += light;
}

function blend(picture: Picture, other: Picture, region: Float32Array | undefined, share: number): void {
  for (let i = 0, p = 0; i < picture.length; i += 3, p++) {
    const t = region === undefined ? share : share * region[p];
    for (let c = i; c < i + 3; c++) picture[c] += (other[c] - picture[c]) * t;
  }
}

function faceWithEyeHoles({ x, y, pixel }: Geometry): Float32Array {
  return regionOf(x, y, (px, py) => {
    const inside = smoothstep(0.95 + pixel, 0.95 - pixel, Math.sqrt(px * px + py * py));
    const hole = Math.sqrt(sq((Math.abs(px) - EYE.x) / 0.24) + sq((py - EYE.y) / 0.15));
    return inside * smoothstep(1 - pixel * 2, 1 + pixel * 2, hole);
  });
}

/** Forehead, eyes and nose. */
const upperFace = ({ x, y, pixel }: Geometry): Float32Array =>
  regionOf(x, y, (px, py) => {
    const inside = smoothstep(0.93 + pixel, 0.93 - pixel, Math.sqrt(px * px + py * py));
    return inside * smoothstep(0.36 + pixel, 0.36 - pixel, py + 0.3 * px * px);
  });

/** Mouth, chin and the lower cheeks. */
const lowerFace = ({ x, y, pixel }: Geometry): Float32Array =>
  regionOf(x, y, (px, py) => {
    const r = Math.sqrt(sq(px / 0.75) + sq((py - MOUTH_Y) / 0.42));
    return smoothstep(1 + pixel, 1 - pixel, r);
  });

function regionOf(x: Float32Array, y: Float32Array, share: (px: number, py: number) => number): Float32Array {
  const region = new Float32Array(x.length);
  for (let i = 0; i < region.length; i++)
    if (Math.abs(x[i]) < 1.1 && Math.abs(y[i]) < 1.1) region[i] = clamp01(share(x[i], y[i]));
  return region;
}
