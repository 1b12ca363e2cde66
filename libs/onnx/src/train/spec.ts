/** A training step as data: what is compared with what, and how much it weighs. */

/** How an output is compared with its target; masked samples take no part. */
export type LossKind =
  /** Logits [N, K] against a class index, int64 [N]. */
  | 'cross-entropy'
  /** Logits of any shape against targets in [0,1], float32 of that shape; the mean over everything but N. */
  | 'binary-cross-entropy'
  /** Any output against float32 of its shape; the mean over everything but N. */
  | 'mean-squared-error'
  /** Logits [N, K] whose classes are live or spoof against 0 or 1, int64 [N]: -log of the right side's share. */
  | 'group-cross-entropy'
  /**
   * Logits [N, K] of a sample against those of another one of the batch, whose place is the target, int64 [N]: the
   * Kullback-Leibler divergence of the other's softmax from its own, with gradients to both, as TRADES has it
   * (Zhang et al., ICML 2019).
   */
  | 'consistency';

export interface LossSpec {
  /** The step reports the loss as `loss/<name>`. */
  readonly name: string;
  readonly kind: LossKind;
  /** The model's output. */
  readonly output: string;
  /** Name of the step's input that holds the target. */
  readonly target: string;
  /** Name of the step's input that holds 1 for samples that count and 0 for others, float32 [N]. */
  readonly mask: string;
  /** Its share in the sum that is minimised; the reported loss is without it. */
  readonly weight: number;
  /** Classes that count as live, for `group-cross-entropy`. */
  readonly live?: readonly number[];
}

export interface TrainingSpec {
  /** The model's input, float32 [N, channels, height, width]. */
  readonly input: string;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly losses: readonly LossSpec[];
  /** `frozen`: BatchNormalization keeps the model's running moments, and its scale and bias are learnt. `batch` unless given. */
  readonly batchNorm?: 'batch' | 'frozen';
}

/** Names of the step's inputs and outputs beside those that the spec and the model's weights give. */
export const gradientOf = (weight: string): string => `gradient/${weight}`;
export const nextOf = (moment: string): string => `next/${moment}`;
export const lossOf = (name: string): string => `loss/${name}`;
