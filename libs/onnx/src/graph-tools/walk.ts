/** Who computes and who reads which tensor, and what of a graph a tensor needs. */
import { ModelError } from '../errors.js';
import type { Graph, Node, Shapes, ValueInfo } from '../graph.js';
import { dimText, isFixed } from '../shapes/dims.js';

/** The node behind every computed tensor. */
export function producers(graph: Graph): Map<string, Node> {
  const found = new Map<string, Node>();
  for (const node of graph.nodes) for (const name of node.outputs) if (name !== '') found.set(name, node);
  return found;
}

/** The nodes that read a tensor, in order; a node that reads it twice stands twice. */
export function consumers(graph: Graph): Map<string, Node[]> {
  const found = new Map<string, Node[]>();
  for (const node of graph.nodes)
    for (const name of node.inputs) {
      if (name === '') continue;
      const readers = found.get(name);
      if (readers) readers.push(node);
      else found.set(name, [node]);
    }
  return found;
}

/**
 * The nodes with each behind all that it reads; those that already are keep their places.
 *
 * @throws ModelError 'invalid' if the nodes form a cycle.
 */
export function topologicalOrder(graph: Graph): Node[] {
  const made = producers(graph);
  const order: Node[] = [];
  const state = new Map<Node, 'open' | 'done'>();
  for (const root of graph.nodes) {
    const stack = [root];
    while (stack.length > 0) {
      const node = stack[stack.length - 1];
      if (state.get(node) === 'done') {
        stack.pop();
        continue;
      }
      state.set(node, 'open');
      const missing = node.inputs.map((name) => made.get(name)).filter((n) => n && state.get(n) !== 'done');
      const cyclic = missing.find((n) => state.get(n!) === 'open');
      if (cyclic) throw new ModelError('invalid', 'reads what depends on it', `node '${node.name}'`);
      if (missing.length > 0) stack.push(...(missing as Node[]).reverse());
      else {
        state.set(node, 'done');
        order.push(node);
        stack.pop();
      }
    }
  }
  return order;
}

/** The graph's nodes and initializers that the named tensors need; inputs and outputs stay as they are. */
export function withoutDead(graph: Graph, roots: Iterable<string>): Graph {
  const needed = new Set(roots);
  const nodes: Node[] = [];
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i];
    if (!node.outputs.some((name) => needed.has(name))) continue;
    nodes.push(node);
    for (const name of node.inputs) needed.add(name);
  }
  const initializers = new Map([...graph.initializers].filter(([name]) => needed.has(name)));
  return { ...graph, nodes: nodes.reverse(), initializers };
}

/** How a graph declares a tensor of known shape: N for the batch, 4N for four times as many. */
export function valueInfo(name: string, shapes: Shapes): ValueInfo {
  const info = shapes.get(name);
  if (info === undefined) throw new ModelError('invalid', 'is not in the graph', `tensor '${name}'`);
  return { name, type: info.type, dims: info.dims.map((dim) => (isFixed(dim) ? dim : dimText(dim))) };
}

/**
 * The part of a graph that computes `outputs`, and only the inputs that it reads.
 *
 * @param outputs tensors of the graph; any of them may be one that was no output so far.
 * @param shapes from {@link inferShapes}; types the new outputs.
 * @throws ModelError 'invalid' if a tensor is not in the graph.
 */
export function restrict(graph: Graph, outputs: readonly string[], shapes: Shapes): Graph {
  const kept = withoutDead(graph, outputs);
  const read = new Set([...outputs, ...kept.nodes.flatMap((node) => node.inputs)]);
  return {
    ...kept,
    inputs: graph.inputs.filter(({ name }) => read.has(name)),
    outputs: outputs.map(
      (name) => graph.outputs.find((output) => output.name === name) ?? valueInfo(name, shapes),
    ),
  };
}
