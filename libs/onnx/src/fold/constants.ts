/** Nodes whose results are known before running become initializers. */
import type { Graph, Node, Tensor } from '../graph.js';
import { tensorOf, type Value } from '../shapes/values/value.js';

function constantsOf(node: Node, values: ReadonlyMap<string, Value>): Map<string, Tensor> | undefined {
  const given = node.attributes['value'];
  if (node.op === 'Constant' && given?.kind === 'tensor') return new Map([[node.outputs[0], given.value]]);
  const found = new Map<string, Tensor>();
  for (const name of node.outputs) {
    if (name === '') continue;
    const value = values.get(name);
    const tensor = value && tensorOf(value);
    if (tensor === undefined) return undefined;
    found.set(name, tensor);
  }
  return found;
}

/** What the graph gives out stays computed by a node: not every runtime takes an initializer for an output. */
export function foldConstants(graph: Graph, values: ReadonlyMap<string, Value>): Graph {
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const initializers = new Map(graph.initializers);
  const nodes = graph.nodes.filter((node) => {
    if (node.outputs.some((name) => outputs.has(name))) return true;
    const constants = constantsOf(node, values);
    if (constants === undefined) return true;
    for (const [name, tensor] of constants) initializers.set(name, tensor);
    return false;
  });
  return { ...graph, nodes, initializers };
}
