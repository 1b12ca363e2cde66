/**
 * Resize as one matrix per axis. TensorFlow.js' own resizing ignores half-pixel centres in its gradient; a matrix
 * product has the right one for every coordinate rule.
 */
import { axisOf, type Call, type Operators } from '../call.js';
import type { TF, TfTensor, TfTensor2D } from '../tf.js';

/** Position in the old axis of an element of the new one (the standard's `coordinate_transformation_mode`). */
function source(mode: string, at: number, size: number, resized: number, scale: number): number | undefined {
  switch (mode) {
    case 'half_pixel':
      return (at + 0.5) / scale - 0.5;
    case 'half_pixel_symmetric': {
      const centre = (size / 2) * (1 - resized / (scale * size));
      return centre + (at + 0.5) / scale - 0.5;
    }
    case 'pytorch_half_pixel':
      return resized > 1 ? (at + 0.5) / scale - 0.5 : 0;
    case 'asymmetric':
      return at / scale;
    case 'align_corners':
      return resized > 1 ? (at * (size - 1)) / (resized - 1) : 0;
    default:
      return undefined;
  }
}

/** The standard's `nearest_mode`. */
const NEAREST: Readonly<Record<string, (x: number) => number>> = {
  round_prefer_floor: (x) => Math.ceil(x - 0.5),
  round_prefer_ceil: (x) => Math.floor(x + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

/** Weights of the old elements (rows) in the new ones (columns). */
function weights(call: Call, size: number, resized: number, scale: number): Float32Array {
  const coordinates = call.string('coordinate_transformation_mode', 'half_pixel');
  const mode = call.string('mode', 'nearest');
  const rounding = call.string('nearest_mode', 'round_prefer_floor');
  const nearest = NEAREST[rounding] ?? call.refuse(`has no nearest mode ${rounding}`);
  const matrix = new Float32Array(size * resized);
  const put = (from: number, at: number, weight: number): void => {
    matrix[Math.min(size - 1, Math.max(0, from)) * resized + at] += weight;
  };
  for (let at = 0; at < resized; at++) {
    const x = source(coordinates, at, size, resized, scale) ?? call.refuse(`with ${coordinates} has no rule`);
    if (mode === 'nearest') put(nearest(x), at, 1);
    else if (mode === 'linear') {
      const low = Math.floor(x);
      put(low, at, 1 - (x - low));
      put(low + 1, at, x - low);
    } else call.refuse(`in mode ${mode} has no rule`);
  }
  return matrix;
}

/** Multiplies one axis by a matrix. */
function alongAxis(tf: TF, x: TfTensor, axis: number, matrix: TfTensor): TfTensor {
  const last = x.rank - 1;
  const swap = x.shape.map((_, i) => (i === axis ? last : i === last ? axis : i));
  const moved = axis === last ? x : tf.transpose(x, swap);
  const [size, resized] = matrix.shape;
  const product = tf.matMul(tf.reshape(moved, [-1, size]), matrix as TfTensor2D);
  const shaped = tf.reshape(product, [...moved.shape.slice(0, -1), resized]);
  return axis === last ? shaped : tf.transpose(shaped, swap);
}

function resize(call: Call): TfTensor {
  const { tf } = call;
  const x = call.input(0);
  if (call.int('antialias', 0) === 1) call.refuse('with antialias has no rule');
  const axes = (call.ints('axes') ?? x.shape.map((_, i) => i)).map((axis) => axisOf(axis, x.rank));
  if (call.string('keep_aspect_ratio_policy', 'stretch') !== 'stretch')
    call.refuse('that keeps the aspect ratio has no rule');
  const sizes = call.has(3) ? call.integers(3) : undefined;
  const scales = call.has(2) ? Array.from(call.input(2).dataSync()) : [];
  if (!sizes?.length && scales.length === 0) call.refuse('needs scales or sizes');
  return axes.reduce((y, axis, i) => {
    const size = y.shape[axis];
    const resized = sizes?.length ? sizes[i] : Math.floor(size * scales[i]);
    const scale = sizes?.length ? resized / size : scales[i];
    if (resized === size && scale === 1) return y;
    return alongAxis(tf, y, axis, tf.tensor2d(weights(call, size, resized, scale), [size, resized]));
  }, x);
}

export const RESIZE: Operators = { Resize: resize };
