/**
 * The optimisers of `learning` in TensorFlow's operators, so that weights stay on the device. Formulas and sources stand
 * there; the two are held together by a test.
 */
import { memoryOf, type UpdateOptions, type Updating } from '@facet/learning';
import type { Weight } from '@facet/onnx';
import type { TF, TfTensor } from '../tf.js';
import type { Tensors } from './training-graph.js';

interface Update {
  readonly weight: TfTensor;
  readonly gradient: TfTensor;
  readonly memory: readonly TfTensor[];
  readonly decays: boolean;
}

interface Updated {
  readonly weight: TfTensor;
  readonly memory: readonly TfTensor[];
}

function moved(
  tf: TF,
  { optimiser }: Updating,
  update: Update,
  { learningRate, step }: UpdateOptions,
): Updated {
  const { weight, gradient, memory, decays } = update;
  const decay = decays ? optimiser.weightDecay : 0;
  const pulled = (by: number): TfTensor => (by === 0 ? gradient : tf.add(gradient, tf.mul(weight, by)));
  if (optimiser.kind === 'sgd') {
    const pull = pulled(decay);
    const velocity = tf.add(tf.mul(memory[0], optimiser.momentum), pull);
    const way = optimiser.nesterov ? tf.add(pull, tf.mul(velocity, optimiser.momentum)) : velocity;
    return { weight: tf.sub(weight, tf.mul(way, learningRate)), memory: [velocity] };
  }
  const { kind, beta1, beta2, epsilon } = optimiser;
  const g = pulled(kind === 'adam' ? decay : 0);
  const first = tf.add(tf.mul(memory[0], beta1), tf.mul(g, 1 - beta1));
  const second = tf.add(tf.mul(memory[1], beta2), tf.mul(tf.square(g), 1 - beta2));
  const length = tf.add(tf.div(tf.sqrt(second), Math.sqrt(1 - beta2 ** (step + 1))), epsilon);
  const way = tf.mul(tf.div(first, length), learningRate / (1 - beta1 ** (step + 1)));
  const shrunk = kind === 'adamw' ? tf.mul(weight, 1 - learningRate * decay) : weight;
  return { weight: tf.sub(shrunk, way), memory: [first, second] };
}

/** What the gradients are multiplied by, so that together they are no longer than `clipNorm`. */
export function clipFactor(tf: TF, gradients: Tensors, clipNorm: number): TfTensor {
  const squared = tf.addN(Object.values(gradients).map((gradient) => tf.sum(tf.square(gradient))));
  return tf.minimum(1, tf.div(clipNorm, tf.add(tf.sqrt(squared), 1e-6)));
}

/** The next value of a weight and of all that is remembered of it, by their names in the state. */
export function updated(
  tf: TF,
  updating: Updating,
  memory: readonly string[],
  { name, decays }: Weight,
  state: Tensors,
  gradient: TfTensor,
  options: UpdateOptions,
): Tensors {
  const names = memory.map((one) => memoryOf(one, name));
  const update = { weight: state[name], gradient, memory: names.map((one) => state[one]), decays };
  const next = moved(tf, updating, update, options);
  const remembered = [...next.memory];
  if (updating.averageDecay !== undefined) {
    const kept = Math.min(updating.averageDecay, (1 + options.step) / (10 + options.step));
    remembered.push(tf.add(tf.mul(state[names.at(-1)!], kept), tf.mul(next.weight, 1 - kept)));
  }
  return Object.fromEntries([[name, next.weight], ...names.map((one, i) => [one, remembered[i]] as const)]);
}
