/**
 * The port that training knows, on TensorFlow. The state stays on the device between steps. TensorFlow's kernels
 * run on the calling thread: whoever has an event loop to keep alive puts a trainer into a worker thread.
 */
import {
  averageResults,
  layoutOf,
  type Optimiser,
  optimiserOf,
  splitBatch,
  type StepOptions,
  type StepResult,
  type Trainer,
  type TrainerState,
  type TrainingBatch,
  type UpdateOptions,
  type Updating,
  withInitialMemory,
} from '@facet/learning';
import { ModelError, tensorF32, type Graph, type TrainingSpec } from '@facet/onnx';
import { tensorOf } from '../constants.js';
import type { TF, TfTensor } from '../tf.js';
import { TrainingGraph, type StepOutcome, type Tensors } from './training-graph.js';
import { clipFactor, updated } from './updates.js';

export class TensorFlowTrainer implements Trainer {
  readonly #tf: TF;
  readonly #spec: TrainingSpec;
  readonly #training: TrainingGraph;
  readonly #updating: Updating;
  readonly #optimiser: Optimiser;
  readonly #initial: TrainerState;
  /** Undefined once closed. */
  #state: Tensors | undefined;

  /**
   * @param graph an inference graph with its initial weights
   * @throws ModelError naming what of the graph cannot be trained
   */
  constructor(tf: TF, graph: Graph, spec: TrainingSpec, updating: Updating) {
    this.#tf = tf;
    this.#spec = spec;
    this.#training = new TrainingGraph(tf, graph, spec);
    this.#updating = updating;
    this.#optimiser = optimiserOf(updating);
    const { weights, initial } = this.#training;
    this.#initial = withInitialMemory(layoutOf({ weights, moments: [] }), this.#optimiser, initial);
    this.#state = this.#uploaded(this.#initial);
  }

  async step(batch: TrainingBatch, { signal, ...options }: StepOptions): Promise<StepResult> {
    const tf = this.#tf;
    const outcomes: StepOutcome[] = [];
    try {
      for (const part of splitBatch(batch)) {
        signal?.throwIfAborted();
        outcomes.push(tf.tidy(() => this.#training.step(this.#opened(), this.#feeds(part))));
      }
      const results = await Promise.all(outcomes.map(({ losses }) => read(losses)));
      this.#opened();
      this.#replace(tf.tidy(() => this.#next(outcomes, options)));
      return averageResults(results);
    } finally {
      for (const outcome of outcomes)
        for (const tensors of Object.values(outcome)) tf.dispose(Object.values(tensors));
    }
  }

  async state(): Promise<TrainerState> {
    const entries = Object.entries(this.#opened()).map(async ([name, tensor]) => {
      const data = Float32Array.from(await tensor.data());
      return [name, tensorF32(tensor.shape, data)] as const;
    });
    return new Map(await Promise.all(entries));
  }

  /** @throws ModelError where the state is not one of this training */
  load(state: TrainerState): Promise<void> {
    return Promise.resolve().then(() => {
      this.#opened();
      for (const [name, own] of this.#initial) {
        const given = state.get(name);
        if (given === undefined) throw new ModelError('invalid', 'is missing from the state', name);
        if (given.dims.join() !== own.dims.join())
          throw new ModelError('invalid', `is [${given.dims.join()}], not [${own.dims.join()}]`, name);
      }
      this.#replace(this.#uploaded(state));
    });
  }

  close(): Promise<void> {
    if (this.#state) this.#tf.dispose(Object.values(this.#state));
    this.#state = undefined;
    return Promise.resolve();
  }

  #opened(): Tensors {
    if (!this.#state) throw new Error('the trainer is closed');
    return this.#state;
  }

  #replace(next: Tensors): void {
    if (this.#state) this.#tf.dispose(Object.values(this.#state));
    this.#state = next;
  }

  /** The state after one update by the mean gradient; running moments are averaged. */
  #next(outcomes: readonly StepOutcome[], options: UpdateOptions): Tensors {
    const tf = this.#tf;
    const { clipNorm } = this.#updating;
    const state = this.#opened();
    const gradients = mean(
      tf,
      outcomes.map((outcome) => outcome.gradients),
    );
    const factor = clipNorm === undefined ? undefined : clipFactor(tf, gradients, clipNorm);
    const weights = this.#training.weights.map((weight) => {
      const own = gradients[weight.name];
      const gradient = factor === undefined ? own : tf.mul(own, factor);
      return updated(tf, this.#updating, this.#optimiser.memory, weight, state, gradient, options);
    });
    return Object.assign(
      mean(
        tf,
        outcomes.map(({ moments }) => moments),
      ),
      ...weights,
    ) as Tensors;
  }

  #uploaded(state: TrainerState): Tensors {
    const names = [...this.#initial.keys()];
    return Object.fromEntries(
      names.map((name) => [name, this.#tf.keep(tensorOf(this.#tf, state.get(name)!, name))]),
    );
  }

  #feeds({ size, pixels, targets, masks }: TrainingBatch): Tensors {
    const tf = this.#tf;
    const { input, channels, height, width, losses } = this.#spec;
    const feeds: Record<string, TfTensor> = { [input]: tf.tensor(pixels, [size, channels, height, width]) };
    for (const { name, target, mask } of losses) {
      feeds[mask] = tf.tensor1d(masks[name]);
      feeds[target] = tf.tensor(numbers(targets[name]), [size, ...this.#training.targetDims.get(name)!]);
    }
    return feeds;
  }
}

/** TensorFlow.js has no 64-bit integers; class indices are small. */
const numbers = (data: Float32Array | BigInt64Array): Float32Array | Int32Array =>
  data instanceof Float32Array ? data : Int32Array.from(data, Number);

/** The mean over the parts. */
const mean = (tf: TF, parts: readonly Tensors[]): Tensors =>
  Object.fromEntries(
    Object.keys(parts[0]).map((name) => {
      const all = parts.map((part) => part[name]);
      return [name, all.length === 1 ? tf.clone(all[0]) : tf.div(tf.addN(all), all.length)];
    }),
  );

async function read(losses: Tensors): Promise<StepResult> {
  const values = Object.entries(losses).map(async ([name, loss]) => [name, (await loss.data())[0]] as const);
  return { losses: Object.fromEntries(await Promise.all(values)) };
}
