/**
 * A threat model at work: where a perturbation may start, how a step moves, and how it is brought back inside
 * the ball around the clean image and the pixel box. One sample at a time, in place, each operation rounded to
 * float32, so that the batch that a sample stands in does not matter.
 *
 * Epsilon of L2 is the root of the mean squared change per pixel value; see `ThreatModel` in contracts.
 */
import type { ThreatModel } from '@facet/contracts';
import type { Random } from '@facet/random';
import { clamp, stepBySigns } from './linf.js';

export interface Budget {
  readonly threat: ThreatModel;
  /** Writes a random point of the ball around `clean` to `out`, inside the box. */
  start(clean: Float32Array, out: Float32Array, random: Random): void;
  /** Moves `pixels` by `length` (in the unit of epsilon) along the steepest ascent of `gradient`. */
  step(pixels: Float32Array, gradient: Float32Array, length: number): void;
  /** Brings `pixels` back into the ball around `clean` and into [0,1]. */
  project(pixels: Float32Array, clean: Float32Array): void;
}

const clip = (value: number): number => (value < 0 ? 0 : value > 1 ? 1 : value);

function linf(threat: ThreatModel): Budget {
  const epsilon = Math.fround(threat.epsilon);
  return {
    threat,
    start(clean, out, random) {
      for (let i = 0; i < clean.length; i++) {
        // Hardly any leaves the ball, by a rounding, so that comparisons cost less here than what `clamp` does.
        const drawn = Math.fround(clean[i] + (2 * random.uniform() - 1) * epsilon);
        const [low, high] = [Math.fround(clean[i] - epsilon), Math.fround(clean[i] + epsilon)];
        out[i] = clip(drawn < low ? low : drawn > high ? high : drawn);
      }
    },
    step: stepBySigns,
    project: (pixels, clean) => clamp(pixels, clean, epsilon),
  };
}

/** Euclidean norm over the root of the number of values. */
export function rootMeanSquare(values: Float32Array, reference?: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    const d = reference === undefined ? values[i] : values[i] - reference[i];
    sum += d * d;
  }
  return Math.sqrt(sum / values.length);
}

/** Largest absolute difference of two images' values. */
export function largestChange(values: Float32Array, reference: Float32Array): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i] - reference[i]));
  return largest;
}

function l2(threat: ThreatModel): Budget {
  const { epsilon } = threat;
  return {
    threat,
    start(clean, out, random) {
      for (let i = 0; i < out.length; i++) out[i] = random.normal();
      const scale = (epsilon * random.uniform()) / (rootMeanSquare(out) + 1e-30);
      for (let i = 0; i < out.length; i++) out[i] = clean[i] + out[i] * scale;
      this.project(out, clean);
    },
    step(pixels, gradient, length) {
      const scale = length / (rootMeanSquare(gradient) + 1e-30);
      for (let i = 0; i < pixels.length; i++) pixels[i] = pixels[i] + gradient[i] * scale;
    },
    /** Clipping to the box after scaling only shortens a change, since the clean image lies inside the box. */
    project(pixels, clean) {
      const norm = rootMeanSquare(pixels, clean);
      const scale = norm > epsilon ? epsilon / norm : 1;
      for (let i = 0; i < pixels.length; i++) pixels[i] = clip(clean[i] + (pixels[i] - clean[i]) * scale);
    },
  };
}

export const budgetOf = (threat: ThreatModel): Budget => (threat.norm === 'linf' ? linf(threat) : l2(threat));
