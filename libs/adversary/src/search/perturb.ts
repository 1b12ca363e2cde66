/**
 * The inner maximisation of adversarial training: steps along the gradient from a random start, for all samples of a
 * batch, all steps. Unlike an attack it judges nothing and stores nothing: what counts is a hard example for the next
 * update, in the precision that the network trains in.
 */
import type { InnerSearch } from '@facet/contracts';
import { Random } from '@facet/random';
import type { AttackBatch } from '../ports.js';
import type { Budget } from '../threat/budget.js';

/** Steps, and the length of each over epsilon. */
export interface InnerSteps {
  readonly steps: number;
  readonly relativeStep: number;
}

export function innerSteps(search: InnerSearch): InnerSteps {
  if (search.name === 'fast') return { steps: 1, relativeStep: search.relativeStep };
  return { steps: search.steps, relativeStep: search.relativeStep ?? 2.5 / search.steps };
}

export interface PerturbContext extends InnerSteps {
  readonly budget: Budget;
  /** Of random starts, with a key per sample. */
  readonly seed: number;
  readonly keys: readonly (string | number)[];
  /** Gradients [n, 3, height, width] of the objective at the batch's pixels. */
  readonly gradient: (batch: AttackBatch) => Promise<Float32Array>;
  readonly signal?: AbortSignal;
}

/** Adversarial pixels [n, 3, height, width] inside the budget around the batch's. */
export async function perturb(batch: AttackBatch, context: PerturbContext): Promise<Float32Array> {
  const { budget, seed, keys, steps, relativeStep, gradient, signal } = context;
  const size = batch.pixels.length / batch.n;
  const row = (data: Float32Array, i: number): Float32Array => data.subarray(i * size, (i + 1) * size);
  const pixels = Float32Array.from(batch.pixels);
  keys.forEach((key, i) => {
    budget.start(row(batch.pixels, i), row(pixels, i), new Random(seed, 'start', key));
  });
  const length = relativeStep * budget.threat.epsilon;
  for (let step = 0; step < steps; step++) {
    signal?.throwIfAborted();
    const slope = await gradient({ ...batch, pixels });
    for (let i = 0; i < batch.n; i++) {
      budget.step(row(pixels, i), row(slope, i), length);
      budget.project(row(pixels, i), row(batch.pixels, i));
    }
  }
  return pixels;
}
