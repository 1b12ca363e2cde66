/**
 * What an attack needs of a model, and all it may know of one. Backends implement it; searches only call it.
 */

/** Values that an objective compares with, one row per sample: class indices, attribute bits, maps, features. */
export interface Target {
  readonly type: 'int64' | 'float32';
  /** Dimensions of one sample's row; [] for a class index. */
  readonly dims: readonly number[];
  /** n rows. Class indices are whole numbers. */
  readonly data: Float32Array;
}

/** Samples under attack. */
export interface AttackBatch {
  readonly n: number;
  /** [n, 3, height, width], RGB in [0,1], before any normalisation of the model's. */
  readonly pixels: Float32Array;
  /** True class of each sample: 0 live, 1 spoof. */
  readonly labels: Uint8Array;
  readonly targets: ReadonlyMap<string, Target>;
}

export interface ObjectiveGradient {
  /** [n]: the objective, which the attack increases. */
  readonly value: Float32Array;
  /**
   * [n, 3, height, width]: its derivative with respect to the pixels, sample by sample. With its buffer the caller's own
   * from now on.
   */
  readonly gradient: Float32Array;
  /**
   * [n]: the decision's scores of the graph that was differentiated, at the same pixels. They are within rounding of
   * the published model's, so they say which samples to look at, and never judge one.
   */
  readonly scores: Float64Array;
}

/** All that a search without gradients asks of a model. */
export interface ScoreOracle {
  /** Decision scores [n], high for live, of the model as it was published. */
  scores(pixels: Float32Array, n: number, signal?: AbortSignal): Promise<Float64Array>;
}

export interface GradientOracle extends ScoreOracle {
  /** One objective's value and gradient. Errors: rejects when the backend fails or `signal` aborts. */
  gradient(batch: AttackBatch, signal?: AbortSignal): Promise<ObjectiveGradient>;
}

/** A step along the signs of a gradient that nobody needs for anything else, in L-infinity. */
export interface SignStep {
  /** How far each pixel value moves, unless its gradient is zero. */
  readonly length: number;
  /** [n, 3, height, width]: the least and the greatest that each value may become. */
  readonly low: Float32Array;
  readonly high: Float32Array;
  /** [n, 3, height, width]: where the moved pixels are written to. */
  readonly next: Float32Array;
}

/** What a backend may offer beside gradients, or in their place: it takes the step where the gradient is. */
export interface StepOracle extends ScoreOracle {
  /**
   * Writes `step.next`, each operation rounded to float32, and resolves with the scores that {@link ObjectiveGradient}
   * has, of where the step began. Errors: rejects when the backend fails or `signal` aborts.
   */
  step(batch: AttackBatch, step: SignStep, signal?: AbortSignal): Promise<Float64Array>;
}

/** The rows of a batch that `indices` name, in their order; `pixels` are theirs, where they stand elsewhere by now. */
export function selectRows(
  batch: AttackBatch,
  indices: readonly number[],
  pixels?: Float32Array,
): AttackBatch {
  const take = (data: Float32Array): Float32Array => {
    const row = data.length / batch.n;
    const out = new Float32Array(indices.length * row);
    indices.forEach((index, i) => out.set(data.subarray(index * row, (index + 1) * row), i * row));
    return out;
  };
  return {
    n: indices.length,
    pixels: pixels ?? take(batch.pixels),
    labels: Uint8Array.from(indices, (index) => batch.labels[index]),
    targets: new Map(
      [...batch.targets].map(([name, target]) => [name, { ...target, data: take(target.data) }]),
    ),
  };
}
