/**
 * Objectives as data: what an attack increases, as a weighted sum of terms on tensors of a model. The words are
 * those of the anti-spoofing field: label 0 is live (bona fide), 1 is spoof (attack presentation).
 */

/** Which class a single number speaks for. */
export type Side = 'live' | 'spoof';

/**
 * One value per sample, to be increased. `sign` is 1 - 2 label: +1 for live samples and -1 for spoofs, so that a
 * term with a sign pushes a sample towards the other class. A pooled feature is the mean over the spatial axes:
 * height and width of [N, C, H, W], the tokens of [N, T, C], nothing of [N, C].
 */
export type Term =
  /** -log softmax(logits)[target]; logits [N, K], target the name of an int64 [N] input (`label` is one). */
  | { readonly kind: 'cross-entropy'; readonly logits: string; readonly target: string }
  /** -sum target log softmax(logits); logits [N, K], target names a float [N, K] input of probabilities. */
  | { readonly kind: 'soft-cross-entropy'; readonly logits: string; readonly target: string }
  /** sign (logsumexp of the spoof logits - logsumexp of the live ones); logits [N, K]. */
  | { readonly kind: 'group-margin'; readonly logits: string; readonly live: readonly number[] }
  /** sign x the log-odds of spoof, of a single logit [N] or [N, 1]. */
  | { readonly kind: 'logit-margin'; readonly tensor: string; readonly high: Side }
  /**
   * sign (log spoof - log live) of probabilities [N, K], each sum + 1e-6. Where they come out of a Softmax it is
   * taken on the logits, which is the same number but does not saturate.
   */
  | { readonly kind: 'probability-margin'; readonly tensor: string; readonly live: readonly number[] }
  /** The same of one probability, [N] or [N, 1]; on the logit where it comes out of a Sigmoid. */
  | { readonly kind: 'sigmoid-margin'; readonly tensor: string; readonly high: Side }
  /** sign x the mean of the map over all axes but the first, negated where the map is high for live. */
  | { readonly kind: 'map-margin'; readonly tensor: string; readonly high: Side }
  /** Mean over K of log(1 + exp z) - z t; logits [N, K], target the name of a float [N, K] input. */
  | { readonly kind: 'binary-cross-entropy'; readonly logits: string; readonly target: string }
  /** Mean of (tensor - target)^2 over a sample's elements; target names a float input of the tensor's shape. */
  | { readonly kind: 'squared-error'; readonly tensor: string; readonly target: string }
  /** |pooled - target|^2; target names a float [N, C] input. */
  | { readonly kind: 'pooled-distance'; readonly tensor: string; readonly target: string }
  /** sign (weights . pooled + bias); weights [C]. */
  | {
      readonly kind: 'linear';
      readonly tensor: string;
      readonly weights: Float32Array;
      readonly bias: number;
    }
  /** sign (weights . [channel means, channel standard deviations] + bias); weights [2C]. */
  | {
      readonly kind: 'texture';
      readonly tensor: string;
      readonly weights: Float32Array;
      readonly bias: number;
    }
  /** sign (direction . pooled), of a direction per sample; target names a float [N, C] input. */
  | { readonly kind: 'projection'; readonly tensor: string; readonly target: string }
  /** The same of the texture statistic; target names a float [N, 2C] input. */
  | { readonly kind: 'texture-projection'; readonly tensor: string; readonly target: string };

/**
 * How pixels [N, 3, H, W], RGB in [0, 1], become the model's input: channels swapped to blue-green-red on demand,
 * then value = pixel x scale[c] + offset[c] in the order that the model wants.
 */
export interface PixelInput {
  readonly name: string;
  readonly scale: readonly [number, number, number];
  readonly offset: readonly [number, number, number];
  readonly swapRedBlue: boolean;
}

export interface WeightedTerm {
  readonly term: Term;
  readonly weight: number;
  /**
   * Takes log(1 + exp value) for the value: of a margin in log-odds that is the cross-entropy of live against spoof.
   * Its gradient is the margin's times a number between 0 and 1, which is 0 in float32 where the decision is sure.
   */
  readonly logistic?: boolean;
}

export interface ObjectiveSpec {
  readonly input: PixelInput;
  readonly terms: readonly WeightedTerm[];
  /**
   * A tensor b that every term passes through. Each term's gradient at b is divided by its L2 norm per sample
   * (+ 1e-12, and no gradient through the norm) before they are weighted, so that no term outweighs another by
   * its units alone: the combination that SFA is made of.
   */
  readonly normaliseAt?: string;
  /** A float32 tensor of the model that comes out as it is beside the gradient, under the name `decision`. */
  readonly decision?: string;
  /**
   * Takes one step along the gradient's signs, for who wants nothing else of it: an output `next`, the pixels moved by
   * `length` and brought between `low` and `high`, in place of `gradient`.
   */
  readonly step?: boolean;
  /** Weights and running moments that are inputs under their own names, as in a training, where they change. */
  readonly fed?: readonly string[];
}
