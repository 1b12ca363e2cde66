/**
 * Reverse-mode differentiation. The gradient of a scalar with respect to some tensors is appended to the graph as
 * ordinary nodes: the nodes between those tensors and the scalar are walked backwards, each by its operator's
 * rule, and contributions to one tensor are summed. Nothing else is computed.
 */
import { GraphBuilder } from '../builder.js';
import { ModelError } from '../errors.js';
import type { Graph, Node, Shapes } from '../graph.js';
import { compounds } from './compounds.js';
import { summed } from './placed.js';
import { type Rule, RuleContext } from './rule.js';
import { RULES } from './rules.js';

/**
 * Appends the gradients of a scalar with respect to the tensors `wrt` (inputs, intermediate tensors or
 * initializers of `graph`).
 *
 * @param builder holds `graph`; the new nodes are appended to it, and `graph` itself stays as it is
 * @param shapes of every tensor of `graph`
 * @param seeds for tensors of the graph, the name of the scalar's gradient with respect to each, of its shape
 * @param rules by operator; training brings its own for operators with weights
 * @param rules by operator; training has others for what depends on weights
 * @returns the gradients' names by tensor; a tensor that no seed depends on is absent, its gradient is zero
 * @throws ModelError 'unsupported' that names the node where an operator on the way has no gradient
 */
export function appendGradients(
  builder: GraphBuilder,
  graph: Graph,
  shapes: Shapes,
  seeds: ReadonlyMap<string, string>,
  wrt: readonly string[],
  rules: ReadonlyMap<string, Rule> = RULES,
): ReadonlyMap<string, string> {
  const depends = dependents(graph, shapes, wrt);
  const contributions = new Map([...seeds].map(([tensor, seed]) => [tensor, [seed]]));
  const total = (tensor: string): string | undefined => {
    const parts = contributions.get(tensor);
    if (parts === undefined) return undefined;
    const sum = summed(builder, parts);
    contributions.set(tensor, [sum]);
    return sum;
  };
  const joined = compounds(graph, new Set(wrt));
  for (const written of graph.nodes.toReversed()) {
    const node = joined.get(written) ?? written;
    const wanted = node.inputs.map((input) => depends.has(input));
    if (!wanted.some(Boolean) || !node.outputs.some((output) => contributions.has(output))) continue;
    const gradients = node.outputs.map(total);
    const context = new RuleContext(builder, node, gradients, wanted, graph, shapes);
    const rule = (node.domain === '' ? rules.get(node.op) : undefined) ?? context.refuse('there is no rule');
    rule(context).forEach((gradient, i) => {
      if (gradient === undefined || !wanted[i]) return;
      const input = node.inputs[i];
      contributions.set(input, [...(contributions.get(input) ?? []), gradient]);
    });
  }
  return new Map(
    wrt.flatMap((tensor) => {
      const gradient = total(tensor);
      return gradient === undefined ? [] : [[tensor, gradient] as const];
    }),
  );
}

/**
 * The first node, going back from the tensors `to`, through which `from` cannot be differentiated; undefined where
 * there is none. It tries: what this accepts, {@link appendGradients} accepts.
 */
export function differentiable(
  graph: Graph,
  shapes: Shapes,
  from: readonly string[],
  to: readonly string[],
): Node | undefined {
  try {
    const seeds = new Map(to.map((tensor) => [tensor, tensor]));
    appendGradients(new GraphBuilder(graph), graph, shapes, seeds, from);
    return undefined;
  } catch (error) {
    const node = graph.nodes.find((n) => error instanceof ModelError && n.name === error.where);
    if (node === undefined) throw error;
    return node;
  }
}

/** Types that carry values; quantised ones too, so that a quantised path is refused and not taken for constant. */
const CARRIES_VALUES = /^(b?float|u?int8|int32)/;

/** The tensors that depend on `wrt`, itself included. A path ends at shapes, indices and conditions. */
function dependents(graph: Graph, shapes: Shapes, wrt: readonly string[]): ReadonlySet<string> {
  const depends = new Set(wrt);
  for (const node of graph.nodes) {
    if (!node.inputs.some((input) => depends.has(input))) continue;
    for (const output of node.outputs)
      if (CARRIES_VALUES.test(shapes.get(output)?.type ?? '')) depends.add(output);
  }
  return depends;
}
