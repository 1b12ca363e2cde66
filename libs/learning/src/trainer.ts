/** The port to whatever computes training steps: the loop knows no runtime. */
import type { Tensor } from '@facet/onnx';
import type { UpdateOptions } from './optimiser/index.js';

/** Targets or masks by the names of the losses. */
export type Named<T> = Readonly<Record<string, T>>;

/** Labelled images, already augmented. */
export interface TrainingBatch {
  /** Number of samples, a multiple of `parts`. */
  readonly size: number;
  /**
   * Parts of size / parts samples each. Every part normalises by its own batch statistics, so the number of parts belongs
   * to the recipe and the result does not depend on how many workers compute them.
   */
  readonly parts: number;
  /** [size, channels, height, width] in [0,1]. */
  readonly pixels: Float32Array;
  /** By loss: class indices [size] as int64, or float32 of the output's shape. */
  readonly targets: Named<Float32Array | BigInt64Array>;
  /** By loss: 1 for samples that count, else 0; [size]. */
  readonly masks: Named<Float32Array>;
}

/** Everything that changes in training, by name: weights, running moments, and what the optimiser remembers. */
export type TrainerState = ReadonlyMap<string, Tensor>;

export interface StepOptions extends UpdateOptions {
  readonly signal?: AbortSignal;
}

export interface StepResult {
  /** Each loss, unweighted; the mean over the parts. */
  readonly losses: Named<number>;
}

/**
 * Holds the state of one training. A step that throws leaves the state as it was. Calls do not overlap; `close`
 * may be called at any time and more than once.
 */
export interface Trainer {
  /** One update of all weights, by the mean gradient of the batch's parts. */
  step(batch: TrainingBatch, options: StepOptions): Promise<StepResult>;
  state(): Promise<TrainerState>;
  load(state: TrainerState): Promise<void>;
  close(): Promise<void>;
}
