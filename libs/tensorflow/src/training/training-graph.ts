/**
 * A training step that owes nothing to our gradient rules: the inference graph in training mode, losses, and the
 * gradients that TensorFlow finds by itself. The same step as `compileTraining` writes as one graph, and like that one
 * without a state of its own: the same tensors in, the same tensors out.
 */
import {
  inferShapes,
  ModelError,
  parametersOf,
  type Graph,
  type LossSpec,
  type Tensor,
  type TrainingSpec,
  type Weight,
} from '@facet/onnx';
import { execute } from '../execute.js';
import { binaryCrossEntropy, crossEntropy, squaredError } from '../losses.js';
import { fusedOperators } from '../native/fused.js';
import { neededNodes } from '../needed.js';
import type { TF, TfTensor } from '../tf.js';
import { batchStatistics } from './batch-statistics.js';

const PER_SAMPLE = {
  'cross-entropy': crossEntropy,
  'binary-cross-entropy': binaryCrossEntropy,
  'mean-squared-error': squaredError,
} as const;

/** Errors: ModelError naming a loss that this backend does not compute. */
function knownLoss({ name, kind }: LossSpec): keyof typeof PER_SAMPLE {
  if (Object.hasOwn(PER_SAMPLE, kind)) return kind as keyof typeof PER_SAMPLE;
  throw new ModelError('unsupported', `the TensorFlow.js backend has no ${kind}`, name);
}

/** Tensors on the device by name. */
export type Tensors = Readonly<Record<string, TfTensor>>;

/** Tensors that whoever asked for the step disposes. */
export type StepOutcome = {
  /** By weight. */
  readonly gradients: Tensors;
  /** The next running moments. */
  readonly moments: Tensors;
  /** Scalars by the losses' names, without their weights. */
  readonly losses: Tensors;
};

export class TrainingGraph {
  readonly #tf: TF;
  readonly #graph: Graph;
  readonly #spec: TrainingSpec;
  readonly weights: readonly Weight[];
  readonly #outputs: readonly string[];
  /** Weights and running moments before the first step. */
  readonly initial: ReadonlyMap<string, Tensor>;
  /** Dimensions of one sample of a loss's target, by the loss's name. */
  readonly targetDims: ReadonlyMap<string, readonly number[]>;

  /**
   * @param graph an inference graph whose weights are float32 initializers; Dropout stays the identity
   * @throws ModelError naming what of the graph cannot be trained
   */
  constructor(tf: TF, graph: Graph, spec: TrainingSpec) {
    this.#tf = tf;
    this.#graph = graph;
    this.#spec = spec;
    for (const loss of spec.losses) knownLoss(loss);
    if (spec.batchNorm === 'frozen')
      throw new ModelError('unsupported', 'the TensorFlow.js backend has no frozen BatchNormalization');
    this.#outputs = [...new Set(spec.losses.map(({ output }) => output))];
    const { input, channels, height, width } = spec;
    const shapes = inferShapes(graph, new Map([[input, [{ perSample: 1 }, channels, height, width]]]));
    const { weights, moments } = parametersOf(graph, shapes);
    const read = new Set(neededNodes(graph, new Set(), this.#outputs).flatMap((node) => node.inputs));
    for (const { name } of weights)
      if (!read.has(name)) throw new ModelError('invalid', 'no loss depends on it', name);
    this.weights = weights;
    this.targetDims = new Map(
      spec.losses.map(({ name, kind, output }) => {
        const dims = shapes.get(output)?.dims;
        if (!dims) throw new ModelError('invalid', 'is not a tensor of the model', output);
        return [name, kind === 'cross-entropy' ? [] : dims.slice(1).map(Number)];
      }),
    );
    const own = [...weights.map(({ name }) => name), ...moments];
    this.initial = new Map(own.map((name) => [name, graph.initializers.get(name)!]));
  }

  /**
   * @param state all that {@link initial} names
   * @param feeds the spec's input [N, channels, height, width], and every loss's target and mask [N], by the names
   *   that the spec gives them
   */
  step(state: Tensors, feeds: Tensors): StepOutcome {
    const tf = this.#tf;
    // Differentiating disposes what its function makes. What is wanted beside the gradients is kept through it.
    const kept: TfTensor[] = [];
    const keep = (tensor: TfTensor): TfTensor => {
      kept.push(tf.keep(tensor));
      return tensor;
    };
    try {
      return tf.tidy(() => {
        const { losses, moments, gradients } = this.#differentiate(state, feeds, keep);
        const cloned = (tensors: Tensors): Tensors =>
          Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, tf.clone(tensor)]));
        return { gradients, moments: cloned(moments), losses: cloned(losses) };
      });
    } finally {
      tf.dispose(kept);
    }
  }

  #differentiate(state: Tensors, feeds: Tensors, keep: (tensor: TfTensor) => TfTensor) {
    const tf = this.#tf;
    const losses: Record<string, TfTensor> = {};
    const moments: Record<string, TfTensor> = {};
    const moved = (name: string, next: TfTensor): void => {
      moments[name] = keep(next);
    };
    const operators = { BatchNormalization: batchStatistics(moved), ...fusedOperators(tf, moved) };
    const names = this.weights.map(({ name }) => name);
    const total = (...weights: TfTensor[]): TfTensor => {
      const trained = Object.fromEntries(weights.map((weight, i) => [names[i], weight]));
      const known = { ...state, ...trained, [this.#spec.input]: feeds[this.#spec.input] };
      const outputs = execute(tf, this.#graph, known, this.#outputs, operators);
      return tf.addN(
        this.#spec.losses.map((loss) => {
          losses[loss.name] = keep(this.#loss(loss, outputs[loss.output], feeds));
          return tf.mul(losses[loss.name], loss.weight);
        }),
      );
    };
    const found = tf.grads(total)(names.map((name) => state[name]));
    const gradients = Object.fromEntries(names.map((name, i) => [name, found[i]]));
    return { losses, moments, gradients };
  }

  /** The mean over the samples whose mask is 1, and 0 where there are none. */
  #loss(loss: LossSpec, output: TfTensor, feeds: Tensors): TfTensor {
    const tf = this.#tf;
    const mask = feeds[loss.mask];
    const perSample = PER_SAMPLE[knownLoss(loss)](tf, output, feeds[loss.target]);
    return tf.div(tf.sum(tf.mul(perSample, mask)), tf.maximum(tf.sum(mask), 1));
  }
}
