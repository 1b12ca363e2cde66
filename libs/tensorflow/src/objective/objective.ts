/** An objective's value per sample and its gradient in pixels. */
import type { Graph, ObjectiveSpec, PixelInput, WeightedTerm } from '@facet/onnx';
import { execute } from '../execute.js';
import type { TF, TfTensor } from '../tf.js';
import { placed, termValue, type PlacedTerm } from './terms.js';

/** Added to a norm before dividing by it. */
const NORM_FLOOR = 1e-12;

export interface ObjectiveFeeds {
  /** [N, 3, H, W], RGB in [0,1]. */
  readonly pixels: TfTensor;
  /** [N]: 0 live, 1 spoof. */
  readonly label: TfTensor;
  /** What the objective's terms compare with, by name. */
  readonly targets: Readonly<Record<string, TfTensor>>;
  /** Weights that are on the device already. */
  readonly weights: Readonly<Record<string, TfTensor>>;
}

/** `value` [N], `gradient` [N, 3, H, W]; `decision` is the tensor that the objective wants beside them. */
export type ObjectiveResult = {
  readonly value: TfTensor;
  readonly gradient: TfTensor;
  readonly decision?: TfTensor;
};

/** What a model makes of pixels before its first layer. */
export function modelInput(tf: TF, pixels: TfTensor, { swapRedBlue, scale, offset }: PixelInput): TfTensor {
  const perChannel = (values: readonly number[]): TfTensor => tf.tensor([...values], [1, 3, 1, 1]);
  const swapped = swapRedBlue ? tf.reverse(pixels, 1) : pixels;
  return tf.add(tf.mul(swapped, perChannel(scale)), perChannel(offset));
}

type Weighted = PlacedTerm & Pick<WeightedTerm, 'weight' | 'logistic'>;

class Evaluation {
  readonly #terms: readonly Weighted[];
  readonly #tensors: readonly string[];
  readonly #sign: TfTensor;

  constructor(
    private readonly tf: TF,
    private readonly graph: Graph,
    private readonly spec: ObjectiveSpec,
    private readonly feeds: ObjectiveFeeds,
  ) {
    this.#terms = spec.terms.map(({ term, ...how }) => ({ ...placed(graph, term), ...how }));
    this.#tensors = [...new Set(this.#terms.map(({ tensor }) => tensor))];
    this.#sign = tf.sub(1, tf.mul(2, tf.cast(feeds.label, 'float32')));
  }

  run(): ObjectiveResult {
    const at = this.spec.normaliseAt;
    return at === undefined ? this.#summed() : this.#normalised(at);
  }

  #fromPixels(pixels: TfTensor, wanted: readonly string[]): Record<string, TfTensor> {
    const { tf, graph, spec, feeds } = this;
    return execute(
      tf,
      graph,
      { ...feeds.weights, [spec.input.name]: modelInput(tf, pixels, spec.input) },
      wanted,
    );
  }

  #value({ term, tensor, logistic }: Weighted, tensors: Readonly<Record<string, TfTensor>>): TfTensor {
    const target = (name: string): TfTensor =>
      name === 'label' ? this.feeds.label : this.feeds.targets[name];
    const value = termValue(this.tf, term, tensors[tensor], this.#sign, target);
    return logistic ? this.tf.softplus(value) : value;
  }

  #weighted(tensors: Readonly<Record<string, TfTensor>>): TfTensor {
    return this.tf.addN(this.#terms.map((term) => this.tf.mul(this.#value(term, tensors), term.weight)));
  }

  /** What the objective wants beside its terms. */
  get #beside(): string[] {
    return this.spec.decision === undefined ? [] : [this.spec.decision];
  }

  #summed(): ObjectiveResult {
    const { tf } = this;
    let value: TfTensor | undefined;
    let decision: TfTensor | undefined;
    const gradient = tf.grad((pixels) => {
      const tensors = this.#fromPixels(pixels, [...this.#tensors, ...this.#beside]);
      [decision] = this.#beside.map((name) => tf.keep(tf.clone(tensors[name])));
      value = tf.keep(this.#weighted(tensors));
      return tf.sum(value);
    })(this.feeds.pixels);
    const kept = decision === undefined ? {} : { decision: released(tf, decision) };
    return { value: released(tf, value!), gradient, ...kept };
  }

  /** One gradient per term at the tensor, each over its norm per sample; their weighted sum goes on to the pixels. */
  #normalised(at: string): ObjectiveResult {
    const { tf, graph, feeds } = this;
    const wanted = [at, ...this.#tensors, ...this.#beside];
    const { [at]: there, ...tensors } = this.#fromPixels(feeds.pixels, wanted);
    const [decision] = this.#beside.map((name) => tensors[name] ?? there);
    const value = this.#weighted({ ...tensors, [at]: there });
    const units = this.#terms.map((term) => {
      const gradient = tf.grad((x) => {
        const known = { ...feeds.weights, [at]: x };
        return tf.sum(this.#value(term, execute(tf, graph, known, [term.tensor])));
      })(there);
      const axes = gradient.shape.slice(1).map((_, i) => i + 1);
      const norm = tf.sqrt(tf.sum(tf.square(gradient), axes, true));
      return tf.mul(tf.div(gradient, tf.add(norm, NORM_FLOOR)), term.weight);
    });
    const direction = tf.addN(units);
    const gradient = tf.grad((pixels) => this.#fromPixels(pixels, [at])[at])(feeds.pixels, direction);
    return { value, gradient, ...(decision && { decision }) };
  }
}

/** Hands a tensor that was kept through a differentiation back to the scope around it. */
function released(tf: TF, kept: TfTensor): TfTensor {
  const copy = tf.clone(kept);
  kept.dispose();
  return copy;
}

/**
 * Differentiates an objective on a model's graph.
 * @returns tensors that the caller disposes
 * @throws ModelError naming a node that has no rule here
 */
export const objectiveGradient = (
  tf: TF,
  graph: Graph,
  spec: ObjectiveSpec,
  feeds: ObjectiveFeeds,
): ObjectiveResult => tf.tidy(() => new Evaluation(tf, graph, spec, feeds).run());
