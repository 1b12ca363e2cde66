/**
 * The bottlenecks of a graph: tensors that everything between an input and some targets has to pass, so that
 * each of them alone decides the targets. A depth in the middle of the network is chosen from these.
 */
import type { Graph } from '../graph.js';

/** These read how large a tensor is, not what is in it. */
const READS_ONLY_SHAPES: ReadonlySet<string> = new Set(['Shape', 'Size']);

/**
 * Tensors, in order, through which every path from `input` to any of `targets` passes; without `input` itself.
 * Empty if no target depends on the input.
 */
export function dominators(graph: Graph, input: string, targets: readonly string[]): string[] {
  const edges = dataEdges(graph, input);
  const leading = new Set(targets.filter((name) => name === input || edges.some(({ to }) => to === name)));
  for (const { from, to } of [...edges].reverse()) if (leading.has(to)) leading.add(from);
  if (!leading.has(input)) return [];

  const order = [input];
  for (const { to } of edges) if (leading.has(to) && order.at(-1) !== to) order.push(to);
  const tensors = [...new Set(order)];
  const position = new Map(tensors.map((name, index) => [name, index]));
  // In topological order a tensor is a bottleneck exactly if no edge leads past it.
  const furthest = tensors.map((_, index) => index);
  for (const { from, to } of edges) {
    const [start, end] = [position.get(from), position.get(to)];
    if (start !== undefined && end !== undefined) furthest[start] = Math.max(furthest[start], end);
  }
  for (const name of targets) {
    const at = position.get(name);
    if (at !== undefined) furthest[at] = tensors.length;
  }
  const found: string[] = [];
  let reached = furthest[0];
  for (let index = 1; index < tensors.length; index++) {
    if (reached <= index) found.push(tensors[index]);
    reached = Math.max(reached, furthest[index]);
  }
  return found;
}

/** From tensor to tensor, behind the input and in topological order of `to`. */
function dataEdges(graph: Graph, input: string): { from: string; to: string }[] {
  const behind = new Set([input]);
  const edges: { from: string; to: string }[] = [];
  for (const node of graph.nodes) {
    if (READS_ONLY_SHAPES.has(node.op)) continue;
    const sources = node.inputs.filter((name) => behind.has(name));
    if (sources.length === 0) continue;
    for (const to of node.outputs) {
      behind.add(to);
      for (const from of sources) edges.push({ from, to });
    }
  }
  return edges;
}
