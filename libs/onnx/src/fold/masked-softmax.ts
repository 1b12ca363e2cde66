/**
 * Attention that masks by adding -100, as Swin's shifted windows do, leaves probabilities around 1e-44. Numbers so
 * small have no leading one, processors compute with them a hundred times slower, and the two matrix products
 * behind such a Softmax then take as long as all else (a fifth of Swin-T's gradient). Here they become zeros.
 */
import { GraphBuilder } from '../builder.js';
import { FLUSH } from '../graph-tools/flush.js';
import { producers } from '../graph-tools/walk.js';
import type { Graph, Node } from '../graph.js';

/** exp of less is under the smallest number with a leading one, 2^-126. */
const MASKED = -87;

/** Operators between a mask and the Softmax. */
const BETWEEN: ReadonlySet<string> = new Set(['Add', 'Reshape', 'Unsqueeze', 'Squeeze']);

function isMasked(tensor: string, graph: Graph, made: ReadonlyMap<string, Node>): boolean {
  const constant = graph.initializers.get(tensor)?.data;
  if (constant !== undefined) return constant instanceof Float32Array && constant.some((v) => v <= MASKED);
  const node = made.get(tensor);
  if (node === undefined || !BETWEEN.has(node.op)) return false;
  const inputs = node.op === 'Add' ? node.inputs : node.inputs.slice(0, 1);
  return inputs.some((input) => isMasked(input, graph, made));
}

export function flushMasked(graph: Graph): Graph {
  const made = producers(graph);
  const builder = new GraphBuilder(graph);
  const nodes = graph.nodes.flatMap((node): readonly Node[] => {
    if (node.op !== 'Softmax' || !isMasked(node.inputs[0], graph, made)) return [node];
    const [output] = node.outputs;
    const small = builder.fresh(`${output}/unflushed`);
    builder.node(FLUSH.op, [small], FLUSH.attributes, output);
    return [{ ...node, outputs: [small] }, ...builder.build(graph.name).nodes.slice(-1)];
  });
  return { ...graph, nodes };
}
