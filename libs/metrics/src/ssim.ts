/**
 * Structural similarity (Wang, Bovik, Sheikh, Simoncelli, IEEE TIP 2004) as its authors define it: Gaussian window
 * of 11x11 with sigma 1.5, K1 = 0.01, K2 = 0.03, no padding, no downsampling. It is computed per channel and
 * averaged, not on luma, since a perturbation may live in colour alone.
 */
import { checkLengths, WHITE } from './distances.js';

const WINDOW = 11;
const SIGMA = 1.5;
const C1 = (0.01 * WHITE) ** 2;
const C2 = (0.03 * WHITE) ** 2;

const KERNEL = (() => {
  const weights = Array.from({ length: WINDOW }, (_, i) =>
    Math.exp(-((i - WINDOW / 2 + 0.5) ** 2) / (2 * SIGMA ** 2)),
  );
  const total = weights.reduce((sum, w) => sum + w, 0);
  return Float64Array.from(weights, (w) => w / total);
})();

export interface ImageShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/**
 * Mean SSIM of two images, [height, width, channels] interleaved, values 0..255; at most 1, which equal images
 * have. Null where a side is shorter than the window (11). Throws a RangeError where the arrays do not fit the shape.
 */
export function ssim(a: Uint8Array, b: Uint8Array, shape: ImageShape): number | null {
  checkLengths(a, b);
  const { height, width, channels } = shape;
  if (a.length !== height * width * channels)
    throw new RangeError(`images have ${a.length} values, not ${height} x ${width} x ${channels}`);
  if (height < WINDOW || width < WINDOW) return null;
  let sum = 0;
  for (let channel = 0; channel < channels; channel++) sum += channelSsim(a, b, shape, channel);
  return sum / channels;
}

function channelSsim(a: Uint8Array, b: Uint8Array, shape: ImageShape, channel: number): number {
  const { height, width, channels } = shape;
  const moment = (value: (x: number, y: number) => number) => {
    const plane = new Float64Array(height * width);
    for (let i = 0, at = channel; i < plane.length; i++, at += channels) plane[i] = value(a[at], b[at]);
    return blur(plane, height, width);
  };
  const meanA = moment((x) => x);
  const meanB = moment((_, y) => y);
  const squareA = moment((x) => x * x);
  const squareB = moment((_, y) => y * y);
  const product = moment((x, y) => x * y);
  let sum = 0;
  for (let i = 0; i < meanA.length; i++) {
    const [ma, mb] = [meanA[i], meanB[i]];
    const varianceA = squareA[i] - ma * ma;
    const varianceB = squareB[i] - mb * mb;
    const covariance = product[i] - ma * mb;
    sum +=
      ((2 * ma * mb + C1) * (2 * covariance + C2)) /
      ((ma * ma + mb * mb + C1) * (varianceA + varianceB + C2));
  }
  return sum / meanA.length;
}

/** Gaussian average where the whole window fits: [height - 10, width - 10]. */
function blur(plane: Float64Array, height: number, width: number): Float64Array {
  const outHeight = height - WINDOW + 1;
  const outWidth = width - WINDOW + 1;
  const rows = new Float64Array(height * outWidth);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < outWidth; x++) {
      let sum = 0;
      for (let k = 0; k < WINDOW; k++) sum += KERNEL[k] * plane[y * width + x + k];
      rows[y * outWidth + x] = sum;
    }
  const out = new Float64Array(outHeight * outWidth);
  for (let y = 0; y < outHeight; y++)
    for (let x = 0; x < outWidth; x++) {
      let sum = 0;
      for (let k = 0; k < WINDOW; k++) sum += KERNEL[k] * rows[(y + k) * outWidth + x];
      out[y * outWidth + x] = sum;
    }
  return out;
}
