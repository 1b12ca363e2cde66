/**
 * How weights move. An optimiser works element by element on one weight at a time, so that a state can be updated in
 * pieces, by any number of workers, with the same bits.
 */

/** One weight and what the optimiser remembers of it, before and after; all of one length. */
export interface WeightUpdate {
  readonly weight: Float32Array;
  readonly nextWeight: Float32Array;
  /** The mean over the parts of the batch. */
  readonly gradient: Float32Array;
  /** In the order of {@link Optimiser.memory}. */
  readonly memory: readonly Float32Array[];
  readonly nextMemory: readonly Float32Array[];
  /** Whether weight decay applies: to matrices and kernels, not to biases and normalisations. */
  readonly decays: boolean;
}

export interface UpdateOptions {
  readonly learningRate: number;
  /** Steps that were done before this one. */
  readonly step: number;
}

export interface Optimiser {
  /** Names of what it remembers of each weight. */
  readonly memory: readonly string[];
  /** What it remembers before the first step. */
  initial(memory: string, weight: Float32Array): Float32Array;
  /** Reads what is now and writes what comes next, which may be the same arrays. */
  update(update: WeightUpdate, options: UpdateOptions): void;
}

/** The name of one weight's memory in a training's state. */
export const memoryOf = (memory: string, weight: string): string => `${memory}/${weight}`;

/** Zeros, where every optimiser of ours begins. */
export const zeros = (_memory: string, weight: Float32Array): Float32Array => new Float32Array(weight.length);
