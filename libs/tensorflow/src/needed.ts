/** Which part of a graph some tensors need. */
import type { Graph, Node } from '@facet/onnx';

/** The nodes that the wanted tensors need, in order, when the known ones are given. */
export function neededNodes(graph: Graph, known: ReadonlySet<string>, wanted: readonly string[]): Node[] {
  const open = new Set(wanted.filter((name) => !known.has(name)));
  const needed: Node[] = [];
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((name) => open.has(name))) continue;
    needed.push(node);
    for (const name of node.inputs) if (name !== '' && !known.has(name)) open.add(name);
  }
  return needed.reverse();
}
