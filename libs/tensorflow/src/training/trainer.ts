/**
 * The port that training knows, on TensorFlow. The state stays on the device between steps. TensorFlow's kernels
 * run on the calling thread: whoever has an event loop to keep alive puts a trainer into a worker thread.
 */
import {
  averageResults,
  splitBatch,
  type StepOptions,
  type StepResult,
  type Trainer,
  type TrainerState,
  type TrainingBatch,
} from '@facet/learning';
import { ModelError, tensorF32, type Graph, type TrainingSpec } from '@facet/onnx';
import { tensorOf } from '../constants.js';
import type { TF, TfTensor } from '../tf.js';
import { TrainingGraph, type StepOutcome, type Tensors } from './training-graph.js';

export class TensorFlowTrainer implements Trainer {
  readonly #tf: TF;
  readonly #spec: TrainingSpec;
  readonly #training: TrainingGraph;
  /** Undefined once closed. */
  #state: Tensors | undefined;

  /**
   * @param graph an inference graph with its initial weights
   * @throws ModelError naming what of the graph cannot be trained
   */
  constructor(tf: TF, graph: Graph, spec: TrainingSpec) {
    this.#tf = tf;
    this.#spec = spec;
    this.#training = new TrainingGraph(tf, graph, spec);
    this.#state = this.#uploaded(this.#training.initial);
  }

  async step(batch: TrainingBatch, { learningRate, signal }: StepOptions): Promise<StepResult> {
    const tf = this.#tf;
    const outcomes: StepOutcome[] = [];
    try {
      for (const part of splitBatch(batch)) {
        signal?.throwIfAborted();
        outcomes.push(tf.tidy(() => this.#training.step(this.#opened(), this.#feeds(part), learningRate)));
      }
      const results = await Promise.all(outcomes.map(({ losses }) => read(losses)));
      this.#opened();
      this.#replace(mean(tf, outcomes));
      return averageResults(results);
    } finally {
      for (const { state, losses } of outcomes)
        tf.dispose([...Object.values(state), ...Object.values(losses)]);
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
      for (const [name, own] of this.#training.initial) {
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

  #uploaded(state: TrainerState): Tensors {
    const names = [...this.#training.initial.keys()];
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

/** The mean of the parts' next states, which is a step with the mean gradient: `averageStates` says why. */
function mean(tf: TF, outcomes: readonly StepOutcome[]): Tensors {
  return tf.tidy(() =>
    Object.fromEntries(
      Object.keys(outcomes[0].state).map((name) => {
        const parts = outcomes.map(({ state }) => state[name]);
        return [name, parts.length === 1 ? tf.clone(parts[0]) : tf.div(tf.addN(parts), parts.length)];
      }),
    ),
  );
}

async function read(losses: Tensors): Promise<StepResult> {
  const values = Object.entries(losses).map(async ([name, loss]) => [name, (await loss.data())[0]] as const);
  return { losses: Object.fromEntries(await Promise.all(values)) };
}
