/** The parts of a face that a worn medium covers, as shares per pixel with soft edges. */
import { clamp01, smoothstep } from '../numerics.js';
import { EYE, MOUTH_Y, sq, type Geometry } from './geometry.js';

export function faceWithEyeHoles({ x, y, pixel }: Geometry): Float32Array {
  return regionOf(x, y, (px, py) => {
    const inside = smoothstep(0.95 + pixel, 0.95 - pixel, Math.sqrt(px * px + py * py));
    const hole = Math.sqrt(sq((Math.abs(px) - EYE.x) / 0.24) + sq((py - EYE.y) / 0.15));
    return inside * smoothstep(1 - pixel * 2, 1 + pixel * 2, hole);
  });
}

/** Forehead, eyes and nose. */
export const upperFace = ({ x, y, pixel }: Geometry): Float32Array =>
  regionOf(x, y, (px, py) => {
    const inside = smoothstep(0.93 + pixel, 0.93 - pixel, Math.sqrt(px * px + py * py));
    return inside * smoothstep(0.36 + pixel, 0.36 - pixel, py + 0.3 * px * px);
  });

/** Mouth, chin and the lower cheeks. */
export const lowerFace = ({ x, y, pixel }: Geometry): Float32Array =>
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
