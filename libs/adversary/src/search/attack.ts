/**
 * An attack on a batch under way: which samples still stand, and the most wrongly decided 8-bit image that was made of
 * each. All searches have their images judged here, on the bytes that would be stored, so no search can lose what it
 * found, undo a wrong decision of the clean image, or work on for a sample that has been fooled.
 */
import { decidedWrongly } from '../decision.js';
import { borrow, giveBack } from '../memory.js';
import { selectRows, type AttackBatch, type ObjectiveGradient, type SignStep } from '../ports.js';
import { dequantise, quantise } from '../threat/quantise.js';
import type { Attacked, SearchContext } from './search.js';

/** The row of sample `index` in data of rows of `size`. */
const row = <T extends Float32Array | Uint8Array>(data: T, index: number, size: number): T =>
  data.subarray(index * size, (index + 1) * size) as T;

/** An image of one sample that a search proposes, as it would be stored. */
export interface Candidate {
  readonly index: number;
  readonly image: Uint8Array;
}

export class Attack implements Attacked {
  readonly images: Uint8Array;
  readonly scores: Float64Array;
  /** Values of an image, 3 x height x width. */
  readonly size: number;
  /** How wrong each sample's image is: a clean one that is decided rightly counts for nothing. */
  readonly #wrongness: Float64Array;
  #open: number[];

  /**
   * Samples that are decided wrongly without any attack are not open, unless `pushOn`, which leaves every sample open
   * to the end.
   */
  constructor(
    readonly batch: AttackBatch,
    private readonly clean: Uint8Array,
    readonly context: SearchContext,
    private readonly pushOn = false,
  ) {
    this.size = clean.length / batch.n;
    this.images = Uint8Array.from(clean);
    this.scores = Float64Array.from(context.cleanScores);
    this.#wrongness = this.scores.map((score, i) => (this.fooled(i) ? this.wrongness(score, i) : -Infinity));
    this.#open = this.#standing(Array.from({ length: batch.n }, (_, i) => i));
  }

  #standing(indices: readonly number[]): number[] {
    return indices.filter((index) => this.pushOn || !this.fooled(index));
  }

  /** Whether an image with this score lets its sample leave. */
  ends(score: number, index: number): boolean {
    return !this.pushOn && this.fooledBy(score, index);
  }

  /** Samples that still stand. */
  get open(): readonly number[] {
    return this.#open;
  }

  cleanBytes(index: number): Uint8Array {
    return row(this.clean, index, this.size);
  }

  /** The clean image in [0,1]. */
  cleanPixels(index: number): Float32Array {
    return row(this.batch.pixels, index, this.size);
  }

  /** The 8-bit image nearest to `pixels` inside the budget. */
  stored(index: number, pixels: Float32Array): Uint8Array {
    return quantise(pixels, this.cleanBytes(index), this.context.budget.threat);
  }

  /** How far a score is on the wrong side: larger is worse for the model. */
  wrongness(score: number, index: number): number {
    return this.batch.labels[index] === 0 ? -score : score;
  }

  /** Whether a score is on the wrong side of the sample's label. */
  fooledBy(score: number, index: number): boolean {
    return decidedWrongly(score, this.batch.labels[index], this.context.threshold);
  }

  /** Whether the image kept of a sample is decided wrongly. */
  fooled(index: number): boolean {
    return this.fooledBy(this.scores[index], index);
  }

  /** How far a score is from being decided wrongly. */
  distance(score: number, index: number): number {
    return this.fooledBy(score, index) ? 0 : Math.abs(score - this.context.threshold);
  }

  /** No search goes on with those samples, whatever stands in the images kept of them. */
  abandon(indices: readonly number[]): void {
    const left = new Set(indices);
    this.#open = this.#open.filter((index) => !left.has(index));
  }

  /** Decision scores of pixels in [0,1], a row for each of `n`. */
  async score(pixels: Float32Array, n: number): Promise<Float64Array> {
    const { oracle, signal, onStep } = this.context;
    signal?.throwIfAborted();
    if (n === 0) return new Float64Array();
    const scores = await oracle.scores(pixels, n, signal);
    onStep?.(n);
    return scores;
  }

  /** Has images judged, keeps each that is decided more wrongly than what its sample had, and returns their scores. */
  async judge(candidates: readonly Candidate[]): Promise<Float64Array> {
    const pixels = borrow(candidates.length * this.size);
    candidates.forEach(({ image }, i) => dequantise(image, row(pixels, i, this.size)));
    const scores = await this.score(pixels, candidates.length);
    giveBack(pixels);
    candidates.forEach(({ index, image }, i) => {
      const wrongness = this.wrongness(scores[i], index);
      if (wrongness <= this.#wrongness[index]) return;
      this.#wrongness[index] = wrongness;
      this.images.set(image, index * this.size);
      this.scores[index] = scores[i];
    });
    this.#open = this.#standing(this.#open);
    return scores;
  }

  /** The objective's gradient at `points`, one for each of `indices`. */
  async gradient(indices: readonly number[], points: readonly Float32Array[]): Promise<ObjectiveGradient> {
    const { oracle, signal, onStep } = this.context;
    signal?.throwIfAborted();
    if (oracle.gradient === undefined)
      throw new RangeError('the search follows gradients, and there is no gradient through the model');
    const pixels = borrow(points.length * this.size);
    points.forEach((point, i) => pixels.set(point, i * this.size));
    const found = await oracle.gradient(selectRows(this.batch, indices, pixels), signal);
    giveBack(pixels);
    onStep?.(indices.length);
    return found;
  }

  /** Takes a step of samples of this attack, and returns the scores of where they stood. */
  async step(batch: AttackBatch, step: SignStep): Promise<Float64Array> {
    const { oracle, signal, onStep } = this.context;
    signal?.throwIfAborted();
    const scores = await oracle.step!(batch, step, signal);
    onStep?.(batch.n);
    return scores;
  }
}

/** The part of an attack that stands in `indices`, as an attack of its own with another context. */
export function attackOn(attack: Attack, indices: readonly number[], context: SearchContext): Attack {
  const { batch, size } = attack;
  const clean = new Uint8Array(indices.length * size);
  indices.forEach((index, i) => clean.set(attack.cleanBytes(index), i * size));
  return new Attack(selectRows(batch, indices), clean, {
    ...context,
    keys: indices.map((index) => context.keys[index]),
    cleanScores: Float64Array.from(indices, (index) => context.cleanScores[index]),
  });
}
