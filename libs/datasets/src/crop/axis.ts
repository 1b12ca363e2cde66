/**
 * Resampling along one axis, as weights on the source's own pixels. Cropping, padding and resizing are separable
 * and linear, so one list per output pixel holds all three: no padded image is ever made, however far a crop
 * reaches past its image.
 */
import type { ModelCrop } from '@facet/contracts';
import { sineOfTurns } from '../numerics.js';

export type Outside = Exclude<ModelCrop['outside'], 'shift'>;
export type Interpolation = ModelCrop['interpolation'];

/** Output pixel k is the sum of weight[j] * source[index[j]] for j from first[k] to first[k + 1]. */
export interface AxisWeights {
  readonly first: Int32Array;
  readonly index: Int32Array;
  readonly weight: Float64Array;
}

/** A run of the source: `length` pixels from `start`, which may lie outside of [0, sourceLength). */
export interface Run {
  readonly start: number;
  readonly length: number;
}

export function axisWeights(
  run: Run,
  sourceLength: number,
  outputLength: number,
  outside: Outside,
  interpolation: Interpolation,
): AxisWeights {
  const first = new Int32Array(outputLength + 1);
  const index: number[] = [];
  const weight: number[] = [];
  const ratio = run.length / outputLength;
  const taps = interpolation === 'bilinear' ? linear : ratio > 1 ? area : lanczos;
  for (let k = 0; k < outputLength; k++) {
    // Reflection can bring one source pixel in several times.
    const sums = new Map<number, number>();
    taps(k, ratio, (position, share) => {
      // As OpenCV does, a kernel reaching past the crop repeats the crop's own edge.
      const inCrop = Math.min(run.length - 1, Math.max(0, position));
      const source = sourceIndex(run.start + inCrop, sourceLength, outside);
      if (source >= 0 && share !== 0) sums.set(source, (sums.get(source) ?? 0) + share);
    });
    for (const [source, share] of sums) {
      index.push(source);
      weight.push(share);
    }
    first[k + 1] = index.length;
  }
  return { first, index: Int32Array.from(index), weight: Float64Array.from(weight) };
}

/** Where a position outside the image is read from; -1 is black. Reflection leaves the edge pixel single. */
export function sourceIndex(position: number, length: number, outside: Outside): number {
  if (position >= 0 && position < length) return position;
  if (outside === 'zero') return -1;
  if (length === 1) return 0;
  const period = 2 * (length - 1);
  const folded = ((position % period) + period) % period;
  return folded < length ? folded : period - folded;
}

type Taps = (k: number, ratio: number, add: (position: number, share: number) => void) => void;

/** Two neighbours around the pixel's centre; nothing is averaged when shrinking, as in OpenCV's INTER_LINEAR. */
const linear: Taps = (k, ratio, add) => {
  const centre = (k + 0.5) * ratio - 0.5;
  const left = Math.floor(centre);
  add(left, 1 - (centre - left));
  add(left + 1, centre - left);
};

/** Every source pixel by the share of it that the output pixel covers. */
const area: Taps = (k, ratio, add) => {
  const from = k * ratio;
  const to = from + ratio;
  for (let p = Math.floor(from); p < to; p++) add(p, (Math.min(p + 1, to) - Math.max(p, from)) / ratio);
};

const LANCZOS_LOBES = 4;

/** Lanczos with four lobes, its eight weights brought to sum 1. */
const lanczos: Taps = (k, ratio, add) => {
  const centre = (k + 0.5) * ratio - 0.5;
  const left = Math.floor(centre) - LANCZOS_LOBES + 1;
  const shares: number[] = [];
  for (let j = 0; j < 2 * LANCZOS_LOBES; j++) shares.push(lanczosAt(centre - left - j));
  const sum = shares.reduce((a, b) => a + b);
  shares.forEach((share, j) => add(left + j, share / sum));
};

function lanczosAt(x: number): number {
  if (x === 0) return 1;
  if (Math.abs(x) >= LANCZOS_LOBES) return 0;
  const angle = Math.PI * x;
  return (LANCZOS_LOBES * sineOfTurns(x / 2) * sineOfTurns(x / (2 * LANCZOS_LOBES))) / (angle * angle);
}
