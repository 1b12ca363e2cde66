/**
 * The inner maximisation of adversarial training, and validation: the ports to whatever attacks and scores the network
 * as it stands between two steps. Both see the weights of the `Trainer` that the same backend holds, and
 * BatchNormalization in evaluation mode, so that an image's attack depends on that image alone.
 */
import type { TrainingObjective } from '@facet/contracts';
import type { LabelledBatch } from './batches.js';
import type { SampleBatch } from './samples.js';

/** Samples of one part that are attacked through one objective. */
export interface AttackedRows {
  readonly objective: Exclude<TrainingObjective, 'clean'>;
  /** Of objectives that speak of one. */
  readonly facet?: string;
  /** Places in the part, ascending. */
  readonly rows: readonly number[];
}

/** How one batch is attacked. */
export interface BatchAttack {
  /** As a fraction of the pixel range. */
  readonly epsilon: number;
  /** Of random starts; with a sample's part and place it decides that sample's. */
  readonly seed: number;
  /** By part. */
  readonly parts: readonly (readonly AttackedRows[])[];
}

/** What was fitted to the features of facets, and to the texture: a linear log-likelihood ratio towards spoof. */
export type Priors = ReadonlyMap<string, { readonly weights: Float32Array; readonly bias: number }>;

export interface InnerMaximisation {
  /** The batch's pixels with the attacked rows in the place of the clean ones; the batch stays as it is. */
  attack(batch: LabelledBatch, attack: BatchAttack, signal?: AbortSignal): Promise<Float32Array>;
  /** Fits the priors of facets to the network's features of these samples; later attacks use them. */
  fitPriors(samples: SampleBatch, signal?: AbortSignal): Promise<Priors>;
  /** Puts fitted priors back, for a training that continues. */
  usePriors(priors: Priors): void;
}

/** Decision scores, high for live. */
export interface Scores {
  /** [n]. */
  readonly clean: Float64Array;
  /** [n], of the samples under attack, where one was asked for. */
  readonly attacked?: Float64Array;
}

export interface Validator {
  /**
   * Scores samples by the weights that would be published now (averages, where the recipe has them).
   *
   * @param attack epsilon and seed of a direct attack by the recipe's search
   */
  score(
    samples: SampleBatch,
    attack: Pick<BatchAttack, 'epsilon' | 'seed'> | undefined,
    signal?: AbortSignal,
  ): Promise<Scores>;
}
