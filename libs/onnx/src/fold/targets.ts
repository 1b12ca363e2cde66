/**
 * Shapes that the file computes while it runs, from the batch size, become constants: at most one axis of a
 * tensor grows with the batch, so a -1, a 1 that broadcasts or an open end says the same.
 */
import { GraphBuilder } from '../builder.js';
import type { AttributeValue, Dim, Graph, Node, Shapes } from '../graph.js';
import { isFixed, sameDim } from '../shapes/dims.js';
import { valueOf, type Value } from '../shapes/values/value.js';

type Known = (name: string) => Value | undefined;
/** The target as a constant and, for Resize, the axes that it is about. */
interface Settled {
  readonly target: readonly number[];
  readonly axes?: readonly number[];
}

/** A slice to here has no end: more than any axis holds. */
const END = Number.MAX_SAFE_INTEGER;

function reshape(from: readonly Dim[], to: readonly Dim[]): readonly number[] | undefined {
  // With allowzero unset, a literal 0 would copy an axis.
  if (to.includes(0) || from.includes(0)) return undefined;
  return to.map((dim) => (isFixed(dim) ? dim : -1));
}

function expand(from: readonly Dim[], to: readonly Dim[]): readonly number[] | undefined {
  const lead = to.length - from.length;
  const target = to.map((dim, axis) => (axis >= lead && sameDim(from[axis - lead], dim) ? 1 : dim));
  return target.every(isFixed) ? target : undefined;
}

/** Only ends that lie at or behind the end of an axis that grows with the batch. */
function slice(node: Node, from: readonly Dim[], known: Known): readonly number[] | undefined {
  const ends = known(node.inputs[2])?.entries;
  const axes = node.inputs[3] ? known(node.inputs[3])?.entries : from.map((_, axis) => axis);
  if (ends === undefined || axes === undefined) return undefined;
  const open = Array.from(ends, (end, i) => {
    if (end === undefined || isFixed(end)) return end;
    const axis = axes[i] as number;
    const size = from[axis < 0 ? axis + from.length : axis];
    return !isFixed(size) && end.perSample >= size.perSample ? END : undefined;
  });
  return open.every((end) => end !== undefined) ? open : undefined;
}

/** Without a region of interest, which would list all axes. */
function resize(from: readonly Dim[], to: readonly Dim[]): Settled | undefined {
  const axes = [...to.keys()].filter((axis) => !sameDim(from[axis], to[axis]));
  const target = axes.map((axis) => to[axis]);
  return target.length > 0 && target.every(isFixed) ? { target, axes } : undefined;
}

function settle(node: Node, shapes: Shapes, known: Known): Settled | undefined {
  const from = shapes.get(node.inputs[0])?.dims ?? [];
  const to = shapes.get(node.outputs[0])?.dims ?? [];
  if (node.op === 'Resize') return node.attributes['axes'] || node.inputs[1] ? undefined : resize(from, to);
  const target =
    node.op === 'Reshape'
      ? reshape(from, to)
      : node.op === 'Expand'
        ? expand(from, to)
        : slice(node, from, known);
  return target && { target };
}

/** The input that says how the output looks. */
const TARGET: Readonly<Record<string, number>> = { Reshape: 1, Expand: 1, Slice: 2, Resize: 3 };

export function settleTargets(graph: Graph, shapes: Shapes, values: ReadonlyMap<string, Value>): Graph {
  const constants = new GraphBuilder(graph);
  const known: Known = (name) => {
    const tensor = graph.initializers.get(name);
    return tensor ? valueOf(tensor) : values.get(name);
  };
  const nodes = graph.nodes.map((node) => {
    const index = TARGET[node.op] ?? -1;
    if (!node.inputs[index] || graph.initializers.has(node.inputs[index])) return node;
    const settled = settle(node, shapes, known);
    if (settled === undefined) return node;
    const target = constants.i64(settled.target);
    const axes: Record<string, AttributeValue> = settled.axes
      ? { axes: { kind: 'ints', value: settled.axes.map((axis) => BigInt(axis)) } }
      : {};
    return {
      ...node,
      inputs: node.inputs.map((name, i) => (i === index ? target : name)),
      attributes: { ...node.attributes, ...axes },
    };
  });
  return { ...graph, nodes, initializers: constants.build(graph.name).initializers };
}
