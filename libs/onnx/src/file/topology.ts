/**
 * The order of nodes and the uniqueness of names: after this, every tensor has one definition, every node
 * stands behind what it reads, and every node can be named.
 */
import { ModelError } from '../errors.js';
import type { Node } from '../graph.js';
import { named, nodeAt, quoted } from './where.js';

const at = (node: Node): string => nodeAt({ name: node.name, opType: node.op, output: [...node.outputs] });

/**
 * A name for each node, in order: its own where it has one that no node before it has, or else made of its
 * first output, as the builder makes them.
 */
export function nodeNames(
  nodes: readonly { readonly name: string; readonly opType: string; readonly output: readonly string[] }[],
): readonly string[] {
  const used = new Set<string>();
  const own = nodes.map(({ name }) => {
    if (name === '' || used.has(name)) return false;
    used.add(name);
    return true;
  });
  const next = new Map<string, number>();
  return nodes.map((node, index) => {
    if (own[index]) return node.name;
    const hint = node.name || `${node.output.find((name) => name !== '') ?? ''}/${node.opType}`;
    let count = next.get(hint) ?? 0;
    let name = hint;
    while (used.has(name)) name = `${hint}_${++count}`;
    next.set(hint, count);
    used.add(name);
    return name;
  });
}

/**
 * Nodes in topological order; the file's own order where it already is one.
 *
 * @param sources names of inputs and initializers.
 * @throws ModelError 'invalid' for a name that is defined twice or never, and for a cycle.
 */
export function sortNodes(nodes: readonly Node[], sources: ReadonlySet<string>): readonly Node[] {
  const producers = new Map<string, number>();
  nodes.forEach((node, index) => {
    for (const name of node.outputs) {
      if (name === '') continue;
      if (sources.has(name) || producers.has(name))
        throw new ModelError('invalid', `defines ${quoted(name)}, which is defined already`, at(node));
      producers.set(name, index);
    }
  });
  const readers: number[][] = nodes.map(() => []);
  const waiting = nodes.map(() => 0);
  let sorted = true;
  nodes.forEach((node, index) => {
    for (const name of node.inputs) {
      if (name === '' || sources.has(name)) continue;
      const producer = producers.get(name);
      if (producer === undefined)
        throw new ModelError('invalid', `reads ${quoted(name)}, which nothing computes`, at(node));
      readers[producer].push(index);
      waiting[index]++;
      if (producer >= index) sorted = false;
    }
  });
  if (sorted) return nodes;

  const order: number[] = nodes.flatMap((_, index) => (waiting[index] === 0 ? [index] : []));
  for (let next = 0; next < order.length; next++)
    for (const reader of readers[order[next]]) if (--waiting[reader] === 0) order.push(reader);
  if (order.length < nodes.length) throw cycle(nodes, producers, waiting);
  return order.map((index) => nodes[index]);
}

/** Goes backwards from a node that never became ready; what comes up twice is on the cycle. */
function cycle(
  nodes: readonly Node[],
  producers: ReadonlyMap<string, number>,
  waiting: readonly number[],
): ModelError {
  const seen = new Set<number>();
  let index = waiting.findIndex((count) => count > 0);
  while (!seen.has(index)) {
    seen.add(index);
    const blocked = nodes[index].inputs.find((name) => waiting[producers.get(name) ?? -1] > 0);
    index = producers.get(blocked ?? '') ?? index;
  }
  return new ModelError('invalid', 'depends on its own output', at(nodes[index]));
}

/** @throws ModelError 'invalid' where a graph's output is defined nowhere. */
export function requireDefined(outputs: readonly { name: string }[], defined: ReadonlySet<string>): void {
  for (const { name } of outputs)
    if (!defined.has(name)) throw new ModelError('invalid', 'nothing computes it', named('output', name));
}
