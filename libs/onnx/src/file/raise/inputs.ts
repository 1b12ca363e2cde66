/** Attributes that have become inputs: numbers that later versions of an operator let a graph compute. */
import { attribute, refuse, without, type Rewrite } from './raising.js';

/** Squeeze, Unsqueeze and the reductions. */
export const axesToInput: Rewrite = (node, graph) => {
  const axes = attribute(node, 'axes', 'ints');
  if (axes === undefined) return undefined;
  return {
    ...node,
    inputs: [node.inputs[0], graph.i64(axes, `${node.outputs[0]}/axes`)],
    attributes: without(node, 'axes'),
  };
};

export const slice: Rewrite = (node, graph) => {
  const starts = attribute(node, 'starts', 'ints');
  const ends = attribute(node, 'ends', 'ints');
  if (starts === undefined || ends === undefined) return refuse(node, 'has no starts and ends');
  const axes = attribute(node, 'axes', 'ints') ?? starts.map((_, axis) => BigInt(axis));
  const [output] = node.outputs;
  return {
    ...node,
    inputs: [
      node.inputs[0],
      graph.i64(starts, `${output}/starts`),
      graph.i64(ends, `${output}/ends`),
      graph.i64(axes, `${output}/axes`),
    ],
    attributes: without(node, 'starts', 'ends', 'axes'),
  };
};

export const pad: Rewrite = (node, graph) => {
  const pads = attribute(node, 'pads', 'ints');
  if (pads === undefined) return refuse(node, 'has no pads');
  const value = attribute(node, 'value', 'float') ?? 0;
  const [input] = node.inputs;
  const inputs = [input, graph.i64(pads, `${node.outputs[0]}/pads`)];
  if (value !== 0) inputs.push(graph.scalar(value, input, `${node.outputs[0]}/value`));
  return { ...node, inputs, attributes: without(node, 'pads', 'value') };
};

/** Version 18 wants either sizes or the number of parts. */
export const split: Rewrite = (node, graph) => {
  const sizes = attribute(node, 'split', 'ints');
  if (sizes !== undefined)
    return {
      ...node,
      inputs: [node.inputs[0], graph.i64(sizes, `${node.outputs[0]}/split`)],
      attributes: without(node, 'split'),
    };
  if ((node.inputs[1] ?? '') !== '') return undefined;
  const parts = { kind: 'int', value: BigInt(node.outputs.length) } as const;
  return { ...node, attributes: { ...node.attributes, num_outputs: parts } };
};

export const topK: Rewrite = (node, graph) => {
  const k = attribute(node, 'k', 'int');
  if (k === undefined) return refuse(node, 'has no k');
  return {
    ...node,
    inputs: [node.inputs[0], graph.i64([k], `${node.outputs[0]}/k`)],
    attributes: without(node, 'k'),
  };
};

export const clip: Rewrite = (node, graph) => {
  const [input] = node.inputs;
  const bound = (name: 'min' | 'max'): string => {
    const value = attribute(node, name, 'float');
    return value === undefined ? '' : graph.scalar(value, input, `${node.outputs[0]}/${name}`);
  };
  return { ...node, inputs: [input, bound('min'), bound('max')], attributes: without(node, 'min', 'max') };
};

/** The mask has been boolean since version 10; before, whatever reads it expects numbers. */
export const dropout: Rewrite = (node, graph) => {
  if (graph.opset < 10 && graph.isRead(node.outputs[1] ?? ''))
    return refuse(node, 'its mask is read, which was not boolean before version 10');
  const ratio = attribute(node, 'ratio', 'float') ?? 0.5;
  const name = graph.constant(
    { type: 'float32', dims: [], data: Float32Array.of(ratio) },
    `${node.outputs[0]}/ratio`,
  );
  return { ...node, inputs: [node.inputs[0], name], attributes: without(node, 'ratio') };
};
