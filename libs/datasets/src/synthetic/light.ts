/** Light on the head: Lambert's diffuse term and a weak specular one, in the four settings of CelebA-Spoof. */
import type { ILLUMINATIONS } from '@facet/contracts';
import { clamp01 } from '../numerics.js';
import type { Picture } from './background.js';
import type { Geometry } from './geometry.js';
import type { Random } from './random.js';

export type Illumination = Exclude<(typeof ILLUMINATIONS)[number], 'live'>;

export interface Light {
  readonly illumination: Illumination;
  readonly direction: readonly [number, number, number];
  readonly ambient: number;
  readonly diffuse: number;
  readonly specular: number;
  /** Light from behind on the outline. */
  readonly rim: number;
  readonly background: number;
  /** Sensor noise over that of normal light. */
  readonly noise: number;
}

const SETTINGS: Record<Illumination, Omit<Light, 'illumination' | 'direction'> & { readonly slant: number }> =
  {
    normal: { slant: 0.5, ambient: 0.45, diffuse: 0.55, specular: 0.07, rim: 0, background: 1, noise: 1 },
    strong: { slant: 1.3, ambient: 0.3, diffuse: 1, specular: 0.2, rim: 0, background: 1.05, noise: 0.9 },
    back: {
      slant: 0.6,
      ambient: 0.33,
      diffuse: 0.22,
      specular: 0.02,
      rim: 0.5,
      background: 1.45,
      noise: 1.1,
    },
    dark: { slant: 0.8, ambient: 0.2, diffuse: 0.26, specular: 0.03, rim: 0, background: 0.4, noise: 1 },
  };

export function drawLight(random: Random): Light {
  const illumination = random.pick(Object.keys(SETTINGS) as Illumination[]);
  const { slant, ...setting } = SETTINGS[illumination];
  const side = random.uniform(-slant, slant);
  const up = random.uniform(-0.7, 0.25);
  const length = Math.sqrt(side * side + up * up + 1);
  const vary = random.uniform(0.9, 1.1);
  return {
    illumination,
    ...setting,
    ambient: setting.ambient * vary,
    diffuse: setting.diffuse * vary,
    direction: [side / length, up / length, 1 / length],
  };
}

/** The steepest slope that is lit as such: keeps outlines from turning black. */
const STEEPEST = 2.5;

export function shade(picture: Picture, geometry: Geometry, light: Light): void {
  const { size, height, body } = geometry;
  const [lx, ly, lz] = light.direction;
  // Halfway between the light and the camera, which looks along z.
  const hl = Math.sqrt(lx * lx + ly * ly + (lz + 1) * (lz + 1));
  const perSlope = size / 4;
  const slope = (d: number): number => Math.max(-STEEPEST, Math.min(STEEPEST, d * perSlope));
  for (let row = 0, i = 0; row < size; row++) {
    const above = row > 0 ? size : 0;
    const below = row < size - 1 ? size : 0;
    for (let column = 0; column < size; column++, i++) {
      const share = body[i];
      let factor = light.background;
      let gloss = 0;
      if (share > 0) {
        const dx = slope(height[column < size - 1 ? i + 1 : i] - height[column > 0 ? i - 1 : i]);
        const dy = slope(height[i + below] - height[i - above]);
        const nz = 1 / Math.sqrt(dx * dx + dy * dy + 1);
        const diffuse = Math.max(0, (lz - dx * lx - dy * ly) * nz);
        const rim = light.rim * (1 - nz) * (1 - nz);
        factor += (light.ambient + light.diffuse * diffuse + rim - factor) * share;
        const half = clamp01(((lz + 1 - dx * lx - dy * ly) * nz) / hl);
        const half4 = half * half * half * half;
        const half16 = half4 * half4 * half4 * half4;
        gloss = light.specular * half16 * half4 * share;
      }
      for (let c = 3 * i; c < 3 * i + 3; c++) picture[c] = picture[c] * factor + gloss;
    }
  }
}
