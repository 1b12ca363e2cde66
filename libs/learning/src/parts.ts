/**
 * Data-parallel training in fixed parts. Every part makes a whole step from the same state; the batch's step is
 * the average of what they give. For stochastic gradient descent with momentum that equals one update with the
 * mean gradient, since next weights and momenta are linear in the gradient. Running moments are averaged too.
 */
import { tensorF32 } from '@facet/onnx';
import type { Named, StepResult, TrainerState, TrainingBatch } from './trainer.js';

/** The parts of a batch, in order; views into its arrays. */
export function splitBatch(batch: TrainingBatch): readonly TrainingBatch[] {
  const { size, parts } = batch;
  if (!Number.isInteger(size / parts))
    throw new RangeError(`${size} samples cannot be split into ${parts} equal parts`);
  const cut = <T extends Float32Array | BigInt64Array>(data: T, part: number): T =>
    data.subarray((part * data.length) / parts, ((part + 1) * data.length) / parts) as T;
  const cutAll = <T extends Float32Array | BigInt64Array>(all: Named<T>, part: number): Named<T> =>
    Object.fromEntries(Object.entries(all).map(([name, data]) => [name, cut(data, part)]));
  return Array.from({ length: parts }, (_, part) => ({
    size: size / parts,
    parts: 1,
    pixels: cut(batch.pixels, part),
    targets: cutAll(batch.targets, part),
    masks: cutAll(batch.masks, part),
  }));
}

/** The mean of the parts' next states, summed in the parts' order, so that the bits do not depend on who was first. */
export function averageStates(states: readonly TrainerState[]): TrainerState {
  if (states.length === 1) return states[0];
  const share = 1 / states.length;
  return new Map(
    [...states[0]].map(([name, { dims, data }]) => {
      const parts = states.map((state) => state.get(name)!.data as Float32Array);
      const mean = Float32Array.from({ length: data.length }, (_, i) => {
        let sum = 0;
        for (const part of parts) sum += part[i];
        return sum * share;
      });
      return [name, tensorF32(dims, mean)];
    }),
  );
}

export function averageResults(results: readonly StepResult[]): StepResult {
  const names = Object.keys(results[0].losses);
  const mean = (name: string): number =>
    results.reduce((sum, { losses }) => sum + losses[name], 0) / results.length;
  return { losses: Object.fromEntries(names.map((name) => [name, mean(name)])) };
}
