/** The gradient of any function of a graph's tensors with respect to one of them, by TensorFlow's differentiation. */
import type { Graph } from '@facet/onnx';
import { execute } from './execute.js';
import type { TF, TfTensor } from './tf.js';

export interface InputGradient {
  /** The function's value, a scalar. */
  readonly value: TfTensor;
  /** Of the shape of what it was differentiated by. */
  readonly gradient: TfTensor;
}

/**
 * Value and gradient of `loss(tensors)` with respect to a fed tensor.
 * @param feeds as for {@link execute}
 * @param of name of the fed tensor
 * @param wanted names of the tensors that the loss is given
 * @param loss a scalar made of them; the sum over samples, where per-sample gradients are wanted
 * @returns tensors that the caller disposes
 * @throws ModelError as {@link execute}
 */
export function gradientOf(
  tf: TF,
  graph: Graph,
  feeds: Readonly<Record<string, TfTensor>>,
  of: string,
  wanted: readonly string[],
  loss: (tensors: Readonly<Record<string, TfTensor>>) => TfTensor,
): InputGradient {
  const { value, grad } = tf.valueAndGrad((x) =>
    tf.reshape(loss(execute(tf, graph, { ...feeds, [of]: x }, wanted)), []),
  )(feeds[of]);
  return { value, gradient: grad };
}
