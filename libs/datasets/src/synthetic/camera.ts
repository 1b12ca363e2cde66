/**
 * What the camera does to live faces and attacks alike, so that neither blur, white balance, tone, noise, a
 * frame nor a colour shift tells the classes apart.
 */
import { toByte } from '../numerics.js';
import type { Picture, Variant } from './background.js';
import { applyGamut, blurred, paintFrame, paperWhite } from './optics.js';
import type { Random } from './random.js';

interface CameraRange {
  /** Weight of each neighbour in the blur kernel, at most. */
  readonly blur: number;
  readonly noise: readonly [number, number];
  /** Of the gain per channel around 1. */
  readonly whiteBalance: number;
  /** Of the tone curve: 0 is straight. */
  readonly tone: number;
}

const CAMERAS: Record<Variant, CameraRange> = {
  standard: { blur: 0.13, noise: [0.006, 0.015], whiteBalance: 0.06, tone: 0.25 },
  shifted: { blur: 0.22, noise: [0.015, 0.035], whiteBalance: 0.13, tone: 0.5 },
};

/** What live pictures share with attacks: a frame in 15 % of them, the colours of some medium in 30 %. */
export function distract(picture: Picture, size: number, random: Random): void {
  if (random.chance(0.3)) {
    const strength = random.uniform(0.3, 1);
    applyGamut(
      picture,
      {
        fade: random.uniform(-0.12, 0.3) * strength,
        black: random.uniform(0, 0.12) * strength,
        white: 1 + random.uniform(-0.1, 0.03) * strength,
        tint: [random.uniform(0.94, 1.03), 1, random.uniform(0.92, 1.08)],
      },
      undefined,
    );
  }
  if (random.chance(0.15))
    paintFrame(picture, size, random.chance(0.5) ? [0.06, 0.06, 0.07] : paperWhite(random), random);
}

/** Takes the photograph: size * size * 3 bytes, red, green and blue of each pixel. */
export function capture(
  picture: Picture,
  size: number,
  variant: Variant,
  noiseOfLight: number,
  random: Random,
): Uint8Array {
  const range = CAMERAS[variant];
  const sharp = blurred(picture, size, random.uniform(0, range.blur));
  const balance = (): number => 1 + random.uniform(-range.whiteBalance, range.whiteBalance);
  const gains = [balance(), balance(), balance()];
  const noise = random.uniform(...range.noise) * noiseOfLight;
  // v -> v (1 + k) / (1 + k v): a gamma-like curve that keeps 0 and 1 and needs no power function.
  const k = random.uniform(-range.tone, range.tone);
  const bytes = new Uint8Array(sharp.length);
  for (let i = 0, c = 0; i < bytes.length; i++, c = c === 2 ? 0 : c + 1) {
    const v = Math.min(1.2, sharp[i] * gains[c]);
    bytes[i] = toByte((v * (1 + k)) / (1 + k * v) + noise * random.normal());
  }
  return bytes;
}
