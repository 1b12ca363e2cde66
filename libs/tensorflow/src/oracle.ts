/**
 * The port that attacks know, on TensorFlow. TensorFlow's kernels run on the calling thread: whoever has an event
 * loop to keep alive puts an oracle into a worker thread.
 */
import { scoresOf, type AttackBatch, type GradientOracle, type ObjectiveGradient } from '@facet/adversary';
import type { ModelOutput } from '@facet/contracts';
import type { Graph, ObjectiveSpec } from '@facet/onnx';
import { uploadInitializers } from './constants.js';
import { execute } from './execute.js';
import { modelInput, objectiveGradient } from './objective/objective.js';
import type { TF, TfTensor } from './tf.js';

export interface OracleModel {
  /** With every tensor that the objective and the output name; height and width fixed. */
  readonly graph: Graph;
  readonly objective: ObjectiveSpec;
  readonly output: ModelOutput;
  /** Of the input, in pixels. */
  readonly height: number;
  readonly width: number;
}

/** Holds the model's weights on the device until it is closed. */
export class TensorFlowOracle implements GradientOracle {
  readonly #tf: TF;
  readonly #model: OracleModel;
  readonly #weights: Readonly<Record<string, TfTensor>>;

  constructor(tf: TF, model: OracleModel) {
    this.#tf = tf;
    this.#model = model;
    this.#weights = uploadInitializers(tf, model.graph);
  }

  async gradient(batch: AttackBatch, signal?: AbortSignal): Promise<ObjectiveGradient> {
    signal?.throwIfAborted();
    const tf = this.#tf;
    const { graph, objective, output } = this.#model;
    const { value, gradient, decision } = tf.tidy(() => {
      const targets = [...batch.targets].map(([name, { type, dims, data }]) => [
        name,
        tf.tensor(data, [batch.n, ...dims], type === 'int64' ? 'int32' : 'float32'),
      ]);
      return objectiveGradient(
        tf,
        graph,
        { ...objective, decision: output.name },
        {
          pixels: this.#pixels(batch.pixels, batch.n),
          label: tf.tensor1d(batch.labels, 'int32'),
          targets: Object.fromEntries(targets) as Record<string, TfTensor>,
          weights: this.#weights,
        },
      );
    });
    try {
      const scores = scoresOf(output, await read(decision!), batch.n);
      return { value: await read(value), gradient: await read(gradient), scores };
    } finally {
      tf.dispose([value, gradient, decision!]);
    }
  }

  async scores(pixels: Float32Array, n: number, signal?: AbortSignal): Promise<Float64Array> {
    signal?.throwIfAborted();
    const tf = this.#tf;
    const { graph, objective, output } = this.#model;
    const decision = tf.tidy(() => {
      const input = modelInput(tf, this.#pixels(pixels, n), objective.input);
      return execute(tf, graph, { ...this.#weights, [objective.input.name]: input }, [output.name])[
        output.name
      ];
    });
    try {
      return scoresOf(output, await read(decision), n);
    } finally {
      decision.dispose();
    }
  }

  /** Frees the weights; the oracle answers no more. */
  close(): void {
    this.#tf.dispose(this.#weights as Record<string, TfTensor>);
  }

  #pixels(pixels: Float32Array, n: number): TfTensor {
    return this.#tf.tensor(pixels, [n, 3, this.#model.height, this.#model.width], 'float32');
  }
}

const read = async (tensor: TfTensor): Promise<Float32Array> => Float32Array.from(await tensor.data());
