/** Removes nodes that give out what they read: Identity, Dropout at inference, reshapes to the same shape. */
import type { Graph, Node, Shapes } from '../graph.js';
import { sameDims } from '../shapes/dims.js';

/** With the same shape and type in front and behind, none of these changes or moves an element. */
const KEEPS_ELEMENTS: ReadonlySet<string> = new Set(
  'Identity Cast Reshape Flatten Squeeze Unsqueeze Expand Tile'.split(' '),
);

function trains(node: Node, graph: Graph): boolean {
  const mode = node.inputs[2];
  return mode ? graph.initializers.get(mode)?.data[0] !== 0 : false;
}

function passes(node: Node, graph: Graph, shapes: Shapes, read: ReadonlySet<string>): boolean {
  if (node.domain !== '' && node.domain !== 'ai.onnx') return false;
  if (node.op === 'Dropout') return !trains(node, graph) && !read.has(node.outputs[1] ?? '');
  const from = shapes.get(node.inputs[0]);
  const to = shapes.get(node.outputs[0]);
  return KEEPS_ELEMENTS.has(node.op) && from?.type === to?.type && sameDims(from?.dims ?? [], to?.dims ?? []);
}

/** @param pinned tensors that keep their names. */
export function removePassing(graph: Graph, shapes: Shapes, pinned: ReadonlySet<string>): Graph {
  const computed = new Set(graph.nodes.flatMap((node) => node.outputs));
  const read = new Set([
    ...graph.nodes.flatMap((node) => node.inputs.filter((name) => name !== '')),
    ...pinned,
  ]);
  const source = new Map<string, string>();
  const renamed = new Map<string, string>();
  const origin = (name: string) => source.get(name) ?? name;

  const nodes = graph.nodes.filter((node) => {
    if (!passes(node, graph, shapes, read)) return true;
    const from = origin(node.inputs[0]);
    const [to] = node.outputs;
    if (pinned.has(to)) {
      // The name moves up to the node that computes the tensor, unless that has to keep its own.
      if (!computed.has(from) || pinned.has(from) || renamed.has(from)) return true;
      renamed.set(from, to);
    }
    source.set(to, from);
    return false;
  });
  const final = (name: string) => renamed.get(origin(name)) ?? origin(name);
  return {
    ...graph,
    nodes: nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map(final),
      outputs: node.outputs.map((name) => renamed.get(name) ?? name),
    })),
  };
}
