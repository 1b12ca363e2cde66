/**
 * Executes an ONNX graph operator by operator. Every step is an ordinary TensorFlow call, so `tf.grads` around an
 * execution differentiates it with TensorFlow's own rules, which owe nothing to ours.
 */
import { ModelError, type Graph, type Tensor } from '@facet/onnx';
import { Call, type Operators } from './call.js';
import { tensorOf } from './constants.js';
import { neededNodes } from './needed.js';
import { OPERATORS } from './operators/index.js';
import type { TF, TfTensor } from './tf.js';
import { Value } from './value.js';

/**
 * Runs the part of a graph that the wanted tensors need.
 * @param feeds tensors by name: inputs, but also initializers that are not to be taken from the graph (trained
 *   ones, or uploaded once for many runs), and inner tensors, at which the execution then starts
 * @param wanted names of any tensors of the graph
 * @param operators rules that stand in for the usual ones: a training run normalises with batch statistics
 * @returns the wanted tensors in ONNX layout, not disposed; everything else is
 * @throws ModelError naming the node or tensor
 */
export function execute(
  tf: TF,
  graph: Graph,
  feeds: Readonly<Record<string, TfTensor>>,
  wanted: readonly string[],
  operators: Operators = {},
): Record<string, TfTensor> {
  return tf.tidy(() => {
    const values = new Map<string, Value>();
    for (const [name, tensor] of Object.entries(feeds)) values.set(name, new Value(tf, tensor));
    const constant = (name: string): Tensor | undefined =>
      name in feeds ? undefined : graph.initializers.get(name);
    const read = (name: string, where: string): Value => {
      const known = values.get(name);
      if (known) return known;
      const initializer = graph.initializers.get(name);
      if (!initializer) throw new ModelError('invalid', `needs ${name}, which nothing gives`, where);
      const value = new Value(tf, tensorOf(tf, initializer, name));
      values.set(name, value);
      return value;
    };
    for (const node of neededNodes(graph, new Set(values.keys()), wanted)) {
      const operator = node.domain === '' ? (operators[node.op] ?? OPERATORS[node.op]) : undefined;
      if (!operator)
        throw new ModelError(
          'unsupported',
          `there is no TensorFlow rule for ${node.domain === '' ? '' : `${node.domain}.`}${node.op}; ` +
            'the ONNX Runtime backend may have one, and black-box and transfer attacks still work',
          node.name,
        );
      const inputs = node.inputs.map((name) => (name === '' ? undefined : read(name, node.name)));
      const made = operator(new Call(tf, node, inputs, node.inputs.map(constant)));
      const outputs = Array.isArray(made) ? (made as readonly (Value | TfTensor)[]) : [made as Value];
      node.outputs.forEach((name, i) => {
        const output = outputs[i];
        if (name !== '' && output) values.set(name, output instanceof Value ? output : new Value(tf, output));
      });
    }
    return Object.fromEntries(wanted.map((name) => [name, read(name, graph.name).plain]));
  });
}
