/**
 * The head as a height field: an ellipsoid with nose, brow, eye sockets and lips, over a neck and shoulders.
 * Everything that is painted or lit later reads the planes that are laid out here.
 */
import { cosineOfTurns, hill, sineOfTurns, smoothstep, toByte } from '../numerics.js';
import type { Look, Person } from './person.js';

/** Eyes, mouth and so on in face units: x to the picture's right, y down, the face's outline at distance 1. */
export const EYE = { x: 0.39, y: -0.12 } as const;
export const MOUTH_Y = 0.52;
export const SHOULDER_Y = 1.1;
/** The hair's and hat's outline, in face units. */
export const SKULL = 1.14;

/** One value per pixel, row by row. */
export interface Geometry {
  readonly size: number;
  /** Face coordinates, undone of the head's position and roll. */
  readonly x: Float32Array;
  readonly y: Float32Array;
  /** Towards the camera, in half image widths; 0 is the background. */
  readonly height: Float32Array;
  /** Share of the pixel that the face (skin inside its outline) covers. */
  readonly face: Float32Array;
  /** Share that head, neck and shoulders cover together. */
  readonly body: Float32Array;
  /** One pixel in face units, for edges of one pixel's softness. */
  readonly pixel: number;
}

export function layOut(person: Person, look: Look, size: number): Geometry {
  const n = size * size;
  const x = new Float32Array(n);
  const y = new Float32Array(n);
  const height = new Float32Array(n);
  const face = new Float32Array(n);
  const body = new Float32Array(n);
  const rx = person.width * look.scale;
  const ry = rx * person.aspect;
  const cosine = cosineOfTurns(look.roll);
  const sine = sineOfTurns(look.roll);
  const step = 2 / size;
  const pixel = step / rx;
  for (let row = 0, i = 0; row < size; row++) {
    const v = (row + 0.5) * step - 1 - look.centre[1];
    for (let column = 0; column < size; column++, i++) {
      const u = (column + 0.5) * step - 1 - look.centre[0];
      const px = (u * cosine + v * sine) / rx;
      const py = (v * cosine - u * sine) / ry;
      x[i] = px;
      y[i] = py;
      const jaw = px * (1 + person.jaw * Math.max(0, py) * Math.max(0, py));
      const r = Math.sqrt(jaw * jaw + py * py);
      const skull = Math.sqrt(px * px + py * py * 1.06) / SKULL;
      face[i] = smoothstep(1 + pixel, 1 - pixel, r);
      // The skull is wider than the face; below the ears the face's outline takes over.
      const cranium = skull + (Math.max(r, skull) - skull) * smoothstep(-0.1, 0.35, py);
      const onSkull = smoothstep(1 + pixel, 1 - pixel, cranium);
      const neck = py > 0.5 ? smoothstep(0.5 + pixel, 0.5 - pixel, Math.abs(px)) : 0;
      const shoulder = smoothstep(SHOULDER_Y, SHOULDER_Y + pixel * 2, py - px * px * 0.16);
      body[i] = Math.max(face[i], onSkull, neck, shoulder);
      let z = Math.max(neck * 0.12, shoulder * 0.14);
      if (cranium < 1) z = Math.max(z, rx * (0.12 + 0.95 * Math.sqrt(1 - cranium * cranium)));
      if (r < 1) z += rx * relief(person, px - look.yaw * Math.sqrt(1 - r * r), py);
      height[i] = z * body[i];
    }
  }
  return { size, x, y, height, face, body, pixel };
}

/** What stands out of the ellipsoid, in half face widths. */
function relief(person: Person, x: number, y: number): number {
  const side = Math.abs(x);
  const bridge = hill(sq(x / (person.nose * 0.8)) + sq((y - 0.02) / 0.34));
  const tip = hill(sq(x / person.nose) + sq((y - 0.22) / 0.16));
  const socket = hill(sq((side - EYE.x) / 0.27) + sq((y - EYE.y) / 0.17));
  const brow = hill(sq((side - EYE.x) / 0.32) + sq((y + 0.33) / 0.1));
  const lips = hill(sq(x / 0.34) + sq((y - MOUTH_Y) / 0.13));
  const chin = hill(sq(x / 0.3) + sq((y - 0.85) / 0.14));
  return 0.16 * bridge + 0.2 * tip - 0.15 * socket + 0.06 * brow + 0.07 * lips + 0.05 * chin;
}

export const sq = (t: number): number => t * t;

/** The true depth map: 0 is the background, 255 the point nearest to the camera. */
export function depthOf(geometry: Geometry): Uint8Array {
  const { height } = geometry;
  let nearest = 0;
  for (let i = 0; i < height.length; i++) if (height[i] > nearest) nearest = height[i];
  const depth = new Uint8Array(height.length);
  for (let i = 0; i < depth.length; i++) depth[i] = toByte(height[i] / nearest);
  return depth;
}
