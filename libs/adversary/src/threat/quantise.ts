/**
 * From an attack's real-valued pixels to the 8-bit image that is stored and judged. Rounding alone may leave the
 * ball; here it never does: the stored image keeps the threat model's budget too.
 */
import type { ThreatModel } from '@facet/contracts';

const LEVELS = 255;
/** Slack for the float32 representation of k/255, far below one level. */
const TOLERANCE = 1e-4;

/** Looked up, since a division takes longer. */
const PIXELS = Float32Array.from({ length: LEVELS + 1 }, (_, level) => level / LEVELS);

/** 8-bit image to [0,1], exactly as the model sees it. */
export function dequantise(bytes: Uint8Array, out = new Float32Array(bytes.length)): Float32Array {
  for (let i = 0; i < bytes.length; i++) out[i] = PIXELS[bytes[i]];
  return out;
}

/** Levels that an L-infinity budget lets a value move. */
export const reachOf = (epsilon: number): number => Math.floor(epsilon * LEVELS + TOLERANCE);

function quantiseLinf(pixels: Float32Array, clean: Uint8Array, epsilon: number, out: Uint8Array): void {
  const reach = reachOf(epsilon);
  for (let i = 0; i < pixels.length; i++) {
    const level = (pixels[i] * LEVELS + 0.5) | 0;
    const low = Math.max(0, clean[i] - reach);
    const high = Math.min(LEVELS, clean[i] + reach);
    out[i] = level < low ? low : level > high ? high : level;
  }
}

/** Rounds to nearest; while that is too long, the changes that rounding lengthened least deserve it fall back. */
function quantiseL2(pixels: Float32Array, clean: Uint8Array, epsilon: number, out: Uint8Array): void {
  const allowed = (epsilon * LEVELS) ** 2 * pixels.length + TOLERANCE;
  const lengthened: { index: number; fraction: number }[] = [];
  let length = 0;
  for (let i = 0; i < pixels.length; i++) {
    const wanted = pixels[i] * LEVELS - clean[i];
    const rounded = Math.min(LEVELS, Math.max(0, Math.round(pixels[i] * LEVELS))) - clean[i];
    out[i] = clean[i] + rounded;
    length += rounded * rounded;
    const fraction = Math.abs(wanted) - Math.trunc(Math.abs(wanted));
    if (Math.abs(rounded) > Math.abs(wanted)) lengthened.push({ index: i, fraction });
  }
  lengthened.sort((a, b) => a.fraction - b.fraction || a.index - b.index);
  for (const { index } of lengthened) {
    if (length <= allowed) return;
    const change = out[index] - clean[index];
    const shorter = change - Math.sign(change);
    length += shorter * shorter - change * change;
    out[index] = clean[index] + shorter;
  }
}

/** The 8-bit image [3, height, width] nearest to `pixels` that keeps the budget around `clean`. */
export function quantise(pixels: Float32Array, clean: Uint8Array, threat: ThreatModel): Uint8Array {
  const out = new Uint8Array(pixels.length);
  (threat.norm === 'linf' ? quantiseLinf : quantiseL2)(pixels, clean, threat.epsilon, out);
  return out;
}
