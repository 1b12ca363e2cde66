/** Batches in fixed parts, each of which gives its own gradients: `update.ts` says what becomes of them. */
import type { Named, StepResult, TrainingBatch } from './trainer.js';

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

/** The mean of the parts' losses. */
export function averageResults(results: readonly StepResult[]): StepResult {
  const names = Object.keys(results[0].losses);
  const mean = (name: string): number =>
    results.reduce((sum, { losses }) => sum + losses[name], 0) / results.length;
  return { losses: Object.fromEntries(names.map((name) => [name, mean(name)])) };
}
