/**
 * What is asked of a model that has no manifest yet, and what is told about it: the tasks `inspect` and `gradient`.
 * `null` stands where something cannot be known, and {@link Inspection.problem} or {@link Gradability} says why.
 */
import type { ModelManifest, ModelOutput } from '@facet/contracts';
import type { ElementType } from '@facet/onnx';

/** Sizes along the axes; 'N' is the batch, other words are the file's own for a size that it leaves open. */
export type NamedDims = readonly (number | string)[];

export interface TensorFacts {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: NamedDims;
}

/** What is in the way of the rest, and where. */
export interface Obstacle {
  /** The node, tensor or field that it is about. */
  readonly where: string | null;
  /** The operator of that node, with its domain unless that is the standard's. */
  readonly operator: string | null;
  readonly problem: string;
}

/**
 * A tensor that lies on every path from the input to the decision, so that it can stand as a facet's feature: a map
 * [N, C, H, W], tokens [N, T, C] or an embedding [N, C].
 */
export interface CandidateFacet {
  readonly tensor: string;
  readonly kind: 'map' | 'tokens' | 'embedding';
  readonly dims: NamedDims;
  /** Whether it has a gradient with respect to the input, and so can be attacked. */
  readonly differentiable: boolean;
}

/** One direction d of the input: the slope of the decision's score along d, found in two ways. */
export interface SlopeCheck {
  /** gradient . d, the gradient being that of the folded graph. */
  readonly gradient: number;
  /** From scores of the graph, by central differences. */
  readonly difference: number;
  /** |gradient - difference| over the larger of both; 0 where both are 0. */
  readonly relativeError: number;
  /** What rounding in single precision may move `difference` by. */
  readonly rounding: number;
}

export interface GradientCheck {
  /** L2 norm of the gradient; 0 says that the decision does not move with the input, at least around this one. */
  readonly norm: number;
  readonly directions: readonly SlopeCheck[];
  /** The largest of the directions. */
  readonly relativeError: number;
  /** `flat` says that the decision moves too little around this input for differences to tell. */
  readonly verdict: 'agrees' | 'differs' | 'flat';
}

/**
 * `of` says what is differentiated: the model, or the float counterpart of a quantised one or of one in half precision,
 * whose own steps have no slope.
 */
export type Gradability =
  | {
      readonly differentiable: true;
      readonly of: 'model' | 'float-counterpart';
      readonly obstacle: null;
      readonly check: GradientCheck;
    }
  | { readonly differentiable: false; readonly of: null; readonly obstacle: Obstacle; readonly check: null };

/** Fields of a manifest that the file decides or suggests; `guesses` names those that it does not say. */
export interface ManifestGuess {
  readonly input: ModelManifest['input'];
  readonly output: ModelOutput;
  /** Paths of fields, such as `input.colour`, that somebody who knows the model's training must check. */
  readonly guesses: readonly string[];
}

export interface Inspection {
  readonly opset: number;
  readonly irVersion: number;
  readonly producer: string;
  readonly inputs: readonly TensorFacts[];
  readonly outputs: readonly TensorFacts[];
  /** Most frequent first; operators outside of the standard carry their domain, as in `com.microsoft.Gelu`. */
  readonly operators: readonly { readonly operator: string; readonly count: number }[];
  readonly parameters: number;
  /** Axis 0 of the input as the file has it: a fixed size, or its name for an open one. */
  readonly batch: { readonly kind: 'static' | 'symbolic'; readonly size: number | string };
  /** What keeps the model from being evaluated at all; facets, gradient and manifest are then null. */
  readonly obstacle: Obstacle | null;
  /** Floating-point operations for one sample, a multiplication with its addition being two; null without shapes. */
  readonly flops: number | null;
  /** In the order of the graph. */
  readonly facets: readonly CandidateFacet[] | null;
  readonly gradient: Gradability | null;
  readonly manifest: ManifestGuess | null;
}

export interface InspectTask {
  /** The ONNX file. */
  readonly bytes: Uint8Array;
}

export interface GradientTask {
  /** The ONNX file. */
  readonly bytes: Uint8Array;
  /** [N, 3, H, W]: the model's own input tensor, which gets `input` as it is. */
  readonly shape: readonly [number, number, number, number];
  readonly input: Float32Array;
  /** [N]: class indices; 0 and 1 for the margin and for a single logit. */
  readonly labels: readonly number[];
  /**
   * `cross-entropy`: -log softmax(logits)[label]; of a single logit, -log sigmoid of it or of its negative.
   * `margin`: label 0 is live; log-odds of spoof for live samples, of live for spoofs.
   */
  readonly objective: 'cross-entropy' | 'margin';
  /** Classes that count as live, for the margin; of a single number or a map, [1] says that it is high for live. */
  readonly live: readonly number[];
  /** The tensor that decides; the model's decision unless given. */
  readonly tensor?: string;
}

export interface GradientResult {
  /** The tensor that decides, with its values and sizes, from the file's own graph. */
  readonly tensor: string;
  readonly logits: Float32Array;
  readonly logitsShape: readonly number[];
  /** Of `shape`: the gradient of the objective's sum over the samples with respect to the input. */
  readonly gradient: Float32Array;
  /** [N]: the objective of each sample. */
  readonly values: Float32Array;
}
