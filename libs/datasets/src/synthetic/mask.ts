/** Attacks with a mask in three dimensions. */
import { hill, smoothstep } from '../numerics.js';
import { EYE, sq } from './geometry.js';
import { applyGamut, blend, blurred } from './optics.js';
import type { Random } from './random.js';
import { faceWithEyeHoles } from './regions.js';
import { reflect, type Scene } from './scene.js';

/** A moulded face: even, waxy skin, broad highlights, rims at its eye holes and its edge. */
export function mask(scene: Scene, strength: number, random: Random): void {
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
    for (let c = 0; c < 3; c++) picture[3 * i + c] *= 1 - 0.55 * strength * edge;
    const forehead = hill(sq((x[i] - left) / 0.55) + sq((y[i] - top) / 0.35));
    const cheeks = hill(sq((side - 0.5) / 0.28) + sq((y[i] - 0.22) / 0.3));
    const nose = hill(sq(x[i] / 0.14) + sq((y[i] - 0.12) / 0.35));
    reflect(scene, i, 0.32 * strength * Math.max(forehead, cheeks * 0.8, nose) * region[i]);
  }
}
