/** Cuts the face out of an image the way that a model's manifest says it was trained. */
import type { Box, ModelCrop } from '@facet/contracts';
import type { RawImage } from '../png.js';
import { axisWeights, type AxisWeights, type Run } from './axis.js';

export interface Size {
  readonly height: number;
  readonly width: number;
}

/** Without a crop in the manifest a box is taken as it stands, and resized. */
const TIGHT: ModelCrop = { scale: 1, square: false, outside: 'zero', interpolation: 'bilinear' };

/**
 * The face as height * width * 3 bytes (red, green, blue), for an input of that size. The crop is `scale` times
 * the box about its centre; its side is cut to whole pixels and starts at one, as the published models' own code
 * does. Without a box the whole image is the face, and only its size changes.
 *
 * `shift` moves a crop that leaves the image back inside, and first shrinks one that is larger than the image.
 * Deterministic to the byte; bilinear and area agree with OpenCV's INTER_LINEAR and INTER_AREA within rounding.
 */
export function cropFace(
  image: RawImage,
  box: Box | undefined,
  crop: ModelCrop | undefined,
  input: Size,
): Uint8Array {
  const rule = crop ?? TIGHT;
  const { across, down } = cropRuns(image, box, crop);
  const outside = rule.outside === 'shift' ? 'zero' : rule.outside;
  const columns = axisWeights(across, image.width, input.width, outside, rule.interpolation);
  const rows = axisWeights(down, image.height, input.height, outside, rule.interpolation);
  return resample(image, columns, rows, input);
}

/** The area of the image that {@link cropFace} takes; it may reach outside. */
export const cropRuns = (
  image: RawImage,
  box: Box | undefined,
  crop: ModelCrop | undefined,
): { across: Run; down: Run } =>
  box
    ? runsOf(image, box, crop ?? TIGHT)
    : { across: { start: 0, length: image.width }, down: { start: 0, length: image.height } };

function runsOf(image: RawImage, box: Box, rule: ModelCrop): { across: Run; down: Run } {
  let { width, height } = box;
  if (rule.square) width = height = Math.max(width, height);
  let scale = rule.scale;
  if (rule.outside === 'shift') scale = Math.min(scale, image.width / width, image.height / height);
  const run = (centre: number, side: number, limit: number): Run => {
    const length = Math.max(1, Math.floor(side * scale + 1e-9));
    const start = Math.floor(centre - length / 2);
    if (rule.outside !== 'shift') return { start, length };
    return { start: Math.max(0, Math.min(limit - length, start)), length };
  };
  return {
    across: run(box.x + box.width / 2, width, image.width),
    down: run(box.y + box.height / 2, height, image.height),
  };
}

/** Along rows first, and only those that some output row reads. */
function resample(
  image: RawImage,
  columns: AxisWeights,
  rows: AxisWeights,
  { height, width }: Size,
): Uint8Array {
  const stride = width * 3;
  const narrowed = new Map<number, Float64Array>();
  const narrow = (row: number): Float64Array => {
    const line = new Float64Array(stride);
    const start = row * image.width * 3;
    for (let k = 0; k < width; k++) {
      for (let j = columns.first[k]; j < columns.first[k + 1]; j++) {
        const from = start + columns.index[j] * 3;
        for (let c = 0; c < 3; c++) line[3 * k + c] += columns.weight[j] * image.data[from + c];
      }
    }
    return line;
  };
  const out = new Uint8Array(height * stride);
  const sum = new Float64Array(stride);
  for (let k = 0; k < height; k++) {
    sum.fill(0);
    for (let j = rows.first[k]; j < rows.first[k + 1]; j++) {
      const row = rows.index[j];
      let line = narrowed.get(row);
      if (line === undefined) narrowed.set(row, (line = narrow(row)));
      for (let i = 0; i < stride; i++) sum[i] += rows.weight[j] * line[i];
    }
    // The small addend lets sums that should be an exact half, but for the last bit, round alike.
    for (let i = 0; i < stride; i++)
      out[k * stride + i] = Math.max(0, Math.min(255, Math.floor(sum[i] + 0.5 + 1e-9)));
  }
  return out;
}
