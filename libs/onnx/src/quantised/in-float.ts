/**
 * The float counterpart of a quantised or half-precision model: what it computes on dequantised weights if nothing
 * were rounded on the way. A quantised graph is flat almost everywhere; this one has the gradient that leads
 * somewhere, the straight-through estimate (Bengio et al., arXiv 1308.3432) taken at float activations. It attacks, and never decides.
 */
import type { AttributeValue, Graph, Node, Shapes, Tensor } from '../graph.js';
import { Dequantising, isQuantised } from './dequantising.js';
import { asFloat, HALVES } from './numbers.js';
import { RULES } from './rules.js';

const FLOAT32 = 1n;

const ruleOf = ({ op, domain }: Node) =>
  RULES.get(domain === '' || domain === 'ai.onnx' ? op : `${domain}:${op}`);

const isHalf = (value: AttributeValue): boolean => value.kind === 'tensor' && HALVES.has(value.value.type);

/** A node between quantised ones or in half precision, on floats: what it casts to is a float too. */
function onFloats(node: Node, to: Dequantising): void {
  const integers = node.inputs.find((name) => to.isFloating(name));
  const type = integers === undefined ? undefined : to.type(integers);
  const inputs = node.inputs.map((name) =>
    type !== undefined && to.type(name) === type ? to.float(name) : to.at(name),
  );
  const result = to.type(node.outputs[0]) ?? 'string';
  const casts = node.op === 'Cast' && (HALVES.has(result) || (type !== undefined && isQuantised(result)));
  const attributes = Object.fromEntries(
    Object.entries(node.attributes).map(([name, value]): [string, AttributeValue] => {
      if (casts && name === 'to') return [name, { kind: 'int', value: FLOAT32 }];
      return [name, isHalf(value) ? { kind: 'tensor', value: asFloat(value.value as Tensor) } : value];
    }),
  );
  to.keep({ ...node, inputs, attributes }, type !== undefined);
}

/**
 * The graph as it is where it has neither quantised operators nor tensors of half precision.
 *
 * @param keep tensors that must mean what they mean in `graph`
 * @throws ModelError 'unsupported' naming the node that is quantised in a way that is not known here, or makes a
 *   tensor of `keep` out of integers without their scale.
 */
export function inFloat(graph: Graph, shapes: Shapes, keep: ReadonlySet<string> = new Set()): Graph {
  const halves = [...shapes.values()].some(({ type }) => HALVES.has(type));
  if (!halves && !graph.nodes.some(ruleOf)) return graph;
  const to = new Dequantising(graph, shapes);
  for (const node of graph.nodes) {
    const rule = ruleOf(node);
    if (rule) rule(node, to);
    else onFloats(node, to);
    if (node.op === 'Cast' && keep.has(node.outputs[0]) && to.isFloating(node.inputs[0]))
      to.refuse(node.outputs[0], 'is in units of its quantisation; name the tensor behind its scale');
  }
  return to.graph();
}
