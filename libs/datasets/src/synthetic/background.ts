/** What is behind the person. The shifted variant shows other kinds of places, so that a model meets them unseen. */
import { hill, sineOfTurns, smoothstep } from '../numerics.js';
import { sq } from './geometry.js';
import { muted, mix, type Colour } from './person.js';
import type { Random } from './random.js';

export type Variant = 'standard' | 'shifted';

type Place = 'wall' | 'blobs' | 'stripes' | 'shelf' | 'tiles' | 'foliage';
const PLACES: Record<Variant, readonly Place[]> = {
  standard: ['wall', 'blobs', 'stripes', 'shelf'],
  shifted: ['tiles', 'foliage', 'blobs'],
};

/** A picture in the making: red, green, blue per pixel, row by row; 1 is white, and values may go past it. */
export type Picture = Float32Array;

export function paintBackground(picture: Picture, size: number, variant: Variant, random: Random): void {
  const colour = (): Colour => muted(random, 0.15, 0.9);
  const place = random.pick(PLACES[variant]);
  const first = colour();
  const second = mix(first, colour(), random.uniform(0.3, 0.8));
  const frequency = random.uniform(1.5, 5);
  const phase = random.uniform(0, 1);
  const tilt = random.uniform(-1, 1);
  // Centre and radius of each.
  const blobs = new Float64Array(18);
  for (let b = 0; b < blobs.length; b++)
    blobs[b] = b % 3 === 2 ? random.uniform(0.25, 0.8) : random.uniform(-1, 1);
  const share = (u: number, v: number): number => {
    switch (place) {
      case 'wall':
        return (u * tilt + v + 2) / 4;
      case 'stripes':
        return 0.5 + 0.5 * sineOfTurns(frequency * (u + v * tilt) + phase);
      case 'shelf':
        return smoothstep(0.8, 0.9, sineOfTurns(frequency * 0.5 * v + phase)) * 0.8 + (u + 1) * 0.1;
      case 'tiles':
        return smoothstep(
          0.85,
          0.95,
          Math.max(sineOfTurns(frequency * u + phase), sineOfTurns(frequency * v)),
        );
      case 'blobs':
      case 'foliage': {
        let sum = 0;
        for (let b = 0; b < blobs.length; b += 3)
          sum += hill((sq(u - blobs[b]) + sq(v - blobs[b + 1])) / sq(blobs[b + 2]));
        if (place === 'foliage') sum += 0.35 * sineOfTurns(9 * u + 3 * sum) * sineOfTurns(8 * v + phase);
        return Math.min(1, Math.max(0, sum));
      }
    }
  };
  for (let row = 0, i = 0; row < size; row++) {
    for (let column = 0; column < size; column++, i += 3) {
      const t = share(((column + 0.5) * 2) / size - 1, ((row + 0.5) * 2) / size - 1);
      for (let c = 0; c < 3; c++) picture[i + c] = first[c] + (second[c] - first[c]) * t;
    }
  }
}
