/**
 * Exporters before operator set 17 write LayerNormalization out in nine operators. As one it is a single pass over
 * its tensor instead of nine, and it gives out the mean and the inverse deviation, which its gradient needs.
 */
import { float, GraphBuilder } from '../builder.js';
import { consumers, producers } from '../graph-tools/walk.js';
import type { Graph, Node, Shapes } from '../graph.js';

/** y = (x - mean) / sqrt(variance + epsilon) * scale + bias, over the last axis. */
interface Written {
  readonly x: string;
  readonly scale: string;
  readonly bias: string;
  readonly epsilon: number;
  /** Every node but the last one. */
  readonly inner: readonly Node[];
}

class Matcher {
  readonly #made: ReadonlyMap<string, Node>;

  constructor(
    private readonly graph: Graph,
    private readonly shapes: Shapes,
  ) {
    this.#made = producers(graph);
  }

  match(last: Node): Written | undefined {
    const [scaled, bias] = this.#withConstant(last, 'Add');
    const product = this.#node(scaled, 'Mul');
    if (!bias || !product) return undefined;
    const [normalised, scale] = this.#withConstant(product, 'Mul');
    const quotient = this.#node(normalised, 'Div');
    const deviation = this.#node(quotient?.inputs[1], 'Sqrt');
    const shifted = this.#node(deviation?.inputs[0], 'Add');
    const centred = this.#node(quotient?.inputs[0], 'Sub');
    if (!scale || !quotient || !deviation || !shifted || !centred) return undefined;
    const [variance, least] = this.#withConstant(shifted, 'Add');
    const spread = this.#node(variance, 'ReduceMean');
    const square = this.#made.get(spread?.inputs[0] ?? '');
    const mean = this.#node(centred.inputs[1], 'ReduceMean');
    const epsilon = this.#number(least);
    if (!spread || !square || !mean || epsilon === undefined) return undefined;
    const [x] = centred.inputs;
    const fits =
      mean.inputs[0] === x &&
      this.#overLast(mean) &&
      this.#overLast(spread) &&
      this.#squares(square, centred.outputs[0]) &&
      this.#isRow(scale, x) &&
      this.#isRow(bias, x);
    const inner = [mean, centred, square, spread, shifted, deviation, quotient, product];
    return fits ? { x, scale, bias, epsilon, inner } : undefined;
  }

  #node(tensor: string | undefined, op: string): Node | undefined {
    const node = this.#made.get(tensor ?? '');
    return node?.op === op ? node : undefined;
  }

  /** The two inputs of a node, the constant one last. */
  #withConstant(node: Node, op: string): readonly [string?, string?] {
    if (node.op !== op) return [];
    const constants = node.inputs.map((input) => this.graph.initializers.has(input));
    if (constants[0] === constants[1]) return [];
    return constants[0] ? [node.inputs[1], node.inputs[0]] : [node.inputs[0], node.inputs[1]];
  }

  #number(tensor: string | undefined): number | undefined {
    const data = this.graph.initializers.get(tensor ?? '')?.data;
    return data?.length === 1 ? Number(data[0]) : undefined;
  }

  #squares(node: Node, of: string): boolean {
    if (node.inputs[0] !== of) return false;
    return node.op === 'Pow'
      ? this.#number(node.inputs[1]) === 2
      : node.op === 'Mul' && node.inputs[1] === of;
  }

  #overLast(node: Node): boolean {
    const rank = this.shapes.get(node.inputs[0])?.dims.length ?? 0;
    const axes = this.graph.initializers.get(node.inputs[1] ?? '')?.data;
    const keeps = node.attributes['keepdims'];
    if (keeps?.kind === 'int' && keeps.value === 0n) return false;
    return axes?.length === 1 && (Number(axes[0]) + rank) % rank === rank - 1;
  }

  /** One number for each element of the last axis. */
  #isRow(tensor: string, x: string): boolean {
    const { type, dims } = this.graph.initializers.get(tensor)!;
    return type === 'float32' && dims.length === 1 && dims[0] === this.shapes.get(x)?.dims.at(-1);
  }
}

/** @param pinned tensors that must survive. */
export function joinLayerNorms(graph: Graph, shapes: Shapes, pinned: ReadonlySet<string>): Graph {
  const matcher = new Matcher(graph, shapes);
  const readers = consumers(graph);
  const builder = new GraphBuilder(graph);
  const removed = new Set<Node>();
  const joined = new Map<Node, Node>();
  for (const last of graph.nodes) {
    const found = matcher.match(last);
    if (found === undefined) continue;
    const own = new Set([...found.inner, last]);
    const alone = found.inner.every(
      ({ outputs: [output] }) =>
        !pinned.has(output) && (readers.get(output) ?? []).every((reader) => own.has(reader)),
    );
    if (!alone) continue;
    for (const node of found.inner) removed.add(node);
    const [output] = last.outputs;
    joined.set(last, {
      ...last,
      op: 'LayerNormalization',
      inputs: [found.x, found.scale, found.bias],
      outputs: [output, builder.fresh(`${output}/mean`), builder.fresh(`${output}/inverse_deviation`)],
      attributes: { axis: { kind: 'int', value: -1n }, epsilon: float(found.epsilon) },
    });
  }
  return {
    ...graph,
    nodes: graph.nodes.flatMap((node) => (removed.has(node) ? [] : [joined.get(node) ?? node])),
  };
}
