/**
 * A training step that owes nothing to our gradient rules: the inference graph in training mode, losses, the
 * gradients that TensorFlow finds by itself, and SGD with momentum and weight decay as PyTorch defines it
 * (m = momentum m + g + decay w, then w = w - rate m). The same step as `compileTraining` writes as one graph.
 */
import {
  inferShapes,
  lossOf,
  ModelError,
  momentumOf,
  parametersOf,
  type Graph,
  type LossSpec,
  type TrainingSpec,
  type Weight,
} from '@facet/onnx';
import { execute } from '../execute.js';
import { neededNodes } from '../needed.js';
import { binaryCrossEntropy, crossEntropy, squaredError } from '../losses.js';
import type { TF, TfTensor } from '../tf.js';
import { batchStatistics } from './batch-statistics.js';

const PER_SAMPLE = {
  'cross-entropy': crossEntropy,
  'binary-cross-entropy': binaryCrossEntropy,
  'mean-squared-error': squaredError,
} as const;

/** Weights, running moments and momenta by name, on the device. */
export type DeviceState = ReadonlyMap<string, TfTensor>;

export class TrainingStep {
  readonly #tf: TF;
  readonly #graph: Graph;
  readonly #spec: TrainingSpec;
  readonly #weights: readonly Weight[];
  readonly #outputs: readonly string[];
  readonly #state = new Map<string, TfTensor>();

  /**
   * @param graph an inference graph whose weights are float32 initializers; Dropout stays the identity
   * @throws ModelError naming what of the graph cannot be trained
   */
  constructor(tf: TF, graph: Graph, spec: TrainingSpec) {
    this.#tf = tf;
    this.#graph = graph;
    this.#spec = spec;
    this.#outputs = [...new Set(spec.losses.map(({ output }) => output))];
    const { input, channels, height, width } = spec;
    const shapes = inferShapes(graph, new Map([[input, [{ perSample: 1 }, channels, height, width]]]));
    const { weights, moments } = parametersOf(graph, shapes);
    this.#weights = weights;
    const read = new Set(neededNodes(graph, new Set(), this.#outputs).flatMap((node) => node.inputs));
    for (const { name } of weights)
      if (!read.has(name)) throw new ModelError('invalid', 'no loss depends on it', name);
    const initial = (name: string): TfTensor => {
      const { dims, data } = graph.initializers.get(name)!;
      return tf.tensor(Float32Array.from(data as Float32Array), [...dims], 'float32');
    };
    for (const name of moments) this.#put(name, initial(name));
    for (const { name, dims } of weights) {
      this.#put(name, initial(name));
      this.#put(momentumOf(name), tf.zeros([...dims]));
    }
  }

  get state(): DeviceState {
    return this.#state;
  }

  /** Puts a tensor into the state, which owns it from then on. */
  load(name: string, tensor: TfTensor): void {
    const known = this.#state.get(name);
    if (!known) throw new ModelError('invalid', 'is no state of this training', name);
    if (known.shape.join() !== tensor.shape.join())
      throw new ModelError('invalid', `is [${tensor.shape.join()}], not [${known.shape.join()}]`, name);
    this.#put(name, tensor);
  }

  /**
   * One step.
   * @param feeds the spec's input [N, channels, height, width], and every loss's target and mask [N], by name
   * @returns every loss as `loss/<name>`, without its weight
   */
  run(feeds: Readonly<Record<string, TfTensor>>, learningRate: number): Record<string, number> {
    const tf = this.#tf;
    const { losses, moved, gradients } = this.#differentiate(feeds);
    for (const [name, next] of moved) this.#put(name, next);
    this.#weights.forEach((weight, i) => this.#update(weight, gradients[i], learningRate));
    const values = [...losses].map(([name, loss]) => [lossOf(name), loss.dataSync()[0]] as const);
    tf.dispose([...losses.values(), ...gradients]);
    return Object.fromEntries(values);
  }

  close(): void {
    for (const tensor of this.#state.values()) tensor.dispose();
    this.#state.clear();
  }

  /** What leaves the differentiation beside the gradients is kept through it, and disposed by the caller. */
  #differentiate(feeds: Readonly<Record<string, TfTensor>>) {
    const tf = this.#tf;
    const losses = new Map<string, TfTensor>();
    const moved = new Map<string, TfTensor>();
    const names = this.#weights.map(({ name }) => name);
    const BatchNormalization = batchStatistics((name, next) => moved.set(name, tf.keep(next)));
    const total = (...weights: TfTensor[]): TfTensor => {
      const trained = Object.fromEntries(weights.map((weight, i) => [names[i], weight]));
      const known = {
        ...Object.fromEntries(this.#state),
        ...trained,
        [this.#spec.input]: feeds[this.#spec.input],
      };
      const outputs = execute(tf, this.#graph, known, this.#outputs, { BatchNormalization });
      const parts = this.#spec.losses.map((loss) => {
        const value = this.#loss(loss, outputs[loss.output], feeds);
        losses.set(loss.name, tf.keep(value));
        return tf.mul(value, loss.weight);
      });
      return tf.addN(parts);
    };
    const gradients = tf.grads(total)(names.map((name) => this.#state.get(name)!));
    return { losses, moved, gradients };
  }

  /** The mean over the samples whose mask is 1, and 0 where there are none. */
  #loss(loss: LossSpec, output: TfTensor, feeds: Readonly<Record<string, TfTensor>>): TfTensor {
    const tf = this.#tf;
    const mask = feeds[loss.mask];
    const perSample = PER_SAMPLE[loss.kind](tf, output, feeds[loss.target]);
    return tf.div(tf.sum(tf.mul(perSample, mask)), tf.maximum(tf.sum(mask), 1));
  }

  #update({ name, decays }: Weight, gradient: TfTensor, learningRate: number): void {
    const tf = this.#tf;
    const { momentum, weightDecay } = this.#spec.optimiser;
    const weight = this.#state.get(name)!;
    const old = this.#state.get(momentumOf(name))!;
    const [next, moved] = tf.tidy(() => {
      const pull = decays ? tf.add(gradient, tf.mul(weight, weightDecay)) : gradient;
      const velocity = tf.add(tf.mul(old, momentum), pull);
      return [velocity, tf.sub(weight, tf.mul(velocity, learningRate))];
    });
    this.#put(momentumOf(name), next);
    this.#put(name, moved);
  }

  #put(name: string, tensor: TfTensor): void {
    this.#state.get(name)?.dispose();
    this.#state.set(name, this.#tf.keep(tensor));
  }
}
