/**
 * A photograph under another camera: stronger blur and noise, another gamma and white balance, by its key and a seed. What
 * a detector must bear when it moves to other devices; geometry, labels and box stay.
 */
import { Random } from '@facet/random';
import { decodePng, encodePng, type RawImage } from './png.js';
import type { StoredSample } from './shards/sample.js';

/** Standard deviation of the blur over the image's side, at most. */
const BLUR = 0.012;
/** Standard deviation of the noise, as a fraction of the range. */
const NOISE: readonly [number, number] = [0.01, 0.04];
const GAMMA: readonly [number, number] = [0.7, 1.4];
/** Of red and blue against green. */
const WHITE_BALANCE: readonly [number, number] = [0.85, 1.18];

const between = (random: Random, [low, high]: readonly [number, number]): number =>
  low + (high - low) * random.uniform();

/** Gaussian weights to three deviations, of sum 1. */
function kernel(deviation: number): Float64Array {
  const reach = Math.ceil(3 * deviation);
  const weights = Float64Array.from({ length: 2 * reach + 1 }, (_, i) =>
    Math.exp(-((i - reach) ** 2) / (2 * deviation ** 2)),
  );
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((w) => w / sum);
}

/** Along one axis, edges repeated; channels lie side by side. */
function blurAlong(
  data: Float64Array,
  { width, height }: RawImage,
  weights: Float64Array,
  down: boolean,
): Float64Array {
  const out = new Float64Array(data.length);
  const reach = (weights.length - 1) / 2;
  const clamp = (at: number, size: number): number => Math.max(0, Math.min(size - 1, at));
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let k = 0; k < weights.length; k++) {
        const from = down
          ? (clamp(y + k - reach, height) * width + x) * 3
          : (y * width + clamp(x + k - reach, width)) * 3;
        for (let c = 0; c < 3; c++) out[(y * width + x) * 3 + c] += weights[k] * data[from + c];
      }
  return out;
}

/** The image [height, width, 3] under the camera that `random` draws. */
export function shiftImage(image: RawImage, random: Random): RawImage {
  const deviation = BLUR * Math.max(image.width, image.height) * random.uniform();
  const gamma = between(random, GAMMA);
  const gains = [between(random, WHITE_BALANCE), 1, between(random, WHITE_BALANCE)];
  const noise = between(random, NOISE);
  let data: Float64Array = Float64Array.from(image.data);
  if (deviation > 0.2) {
    const weights = kernel(deviation);
    data = blurAlong(blurAlong(data, image, weights, false), image, weights, true);
  }
  const bytes = Uint8Array.from(data, (value, i) => {
    const light = Math.min(1, (value / 255) ** gamma * gains[i % 3]) + noise * random.normal();
    return Math.round(255 * Math.max(0, Math.min(1, light)));
  });
  return { ...image, data: bytes };
}

/** Maps are left out: nobody attacks or trains on what is shifted. */
export async function shiftSample(
  { key, png, labels, box }: StoredSample,
  seed: number,
): Promise<StoredSample> {
  const shifted = shiftImage(await decodePng(png, 3, key), new Random(seed, 'shift', key));
  return { key, png: await encodePng(shifted), labels, ...(box && { box }) };
}
