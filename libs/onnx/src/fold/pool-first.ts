/**
 * MaxPool behind a Relu becomes Relu behind a MaxPool: the same numbers, since a Relu never changes an order, but the
 * Relu and the mask of its gradient then have a fraction of the elements.
 */
import { consumers, producers } from '../graph-tools/walk.js';
import type { Graph, Node } from '../graph.js';

/** @param pinned tensors that must survive. */
export function poolFirst(graph: Graph, pinned: ReadonlySet<string>): Graph {
  const made = producers(graph);
  const readers = consumers(graph);
  const replaced = new Map<Node, Node>();
  for (const pool of graph.nodes) {
    const [between] = pool.inputs;
    const relu = made.get(between);
    const exchanged =
      pool.op === 'MaxPool' &&
      pool.outputs.length === 1 &&
      relu?.op === 'Relu' &&
      !pinned.has(between) &&
      readers.get(between)?.length === 1;
    if (!exchanged) continue;
    replaced.set(relu, { ...pool, inputs: relu.inputs, outputs: relu.outputs });
    replaced.set(pool, { ...relu, inputs: relu.outputs, outputs: pool.outputs });
  }
  return { ...graph, nodes: graph.nodes.map((node) => replaced.get(node) ?? node) };
}
