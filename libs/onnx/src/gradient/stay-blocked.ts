/**
 * Keeps a gradient in the blocked layout of {@link file://./blocked.ts}. A sum or product of a blocked map and one
 * that is not takes both out of the blocks, and everything behind it, up to the next convolution, which reorders its
 * input again; a residual network's gradient then never gets back in. Here the other map is put into blocks as well,
 * by a convolution that changes nothing, wherever the result is headed for an operator on blocks.
 */
import { GraphBuilder } from '../builder.js';
import { consumers } from '../graph-tools/walk.js';
import type { Dim, Graph, Node, Shapes } from '../graph.js';
import { sameDims } from '../shapes/dims.js';
import { inBlocks, scaleChannels } from './blocked.js';

const ELEMENTWISE: ReadonlySet<string> = new Set(['Add', 'Sum', 'Mul']);
const ACTIVATIONS: ReadonlySet<string> = new Set(['Relu', 'Sigmoid', 'Tanh', 'HardSigmoid']);
/** Activations that stay in the blocks only as part of the convolution before them. */
const FUSED: ReadonlySet<string> = new Set(['Clip', 'LeakyRelu']);
const POOLS: ReadonlySet<string> = new Set(['MaxPool', 'AveragePool']);

/** What ONNX Runtime can read from channels in fours, and pads to whole blocks. */
const inFours = (channels: Dim | undefined): channels is number =>
  typeof channels === 'number' && channels % 4 === 0;

/** The only Resize that gradients are written with (tensors.ts) is one of the runtime's on blocks. */
const repeats = ({ op, attributes }: Node): boolean => {
  const is = (name: string, text: string): boolean => {
    const value = attributes[name];
    return value?.kind === 'string' && value.value === text;
  };
  return (
    op === 'Resize' &&
    is('mode', 'nearest') &&
    is('coordinate_transformation_mode', 'asymmetric') &&
    is('nearest_mode', 'floor')
  );
};

class Layout {
  readonly #blocked = new Set<string>();
  readonly #convolved = new Set<string>();
  readonly #readers: ReadonlyMap<string, readonly Node[]>;
  readonly #headed = new Map<string, boolean>();

  constructor(
    private readonly graph: Graph,
    private readonly shapes: Shapes,
  ) {
    this.#readers = consumers(graph);
  }

  isBlocked(tensor: string): boolean {
    return this.#blocked.has(tensor);
  }

  /** Maps [N, C, H, W] that a convolution could put into blocks. */
  fits(tensor: string, like: string): boolean {
    const dims = this.#dims(tensor);
    return dims.length === 4 && inFours(dims[1]) && sameDims(dims, this.#dims(like));
  }

  /** Some operator on blocks reads the tensor, itself or behind operators that take either layout. */
  isHeadedForBlocks(tensor: string): boolean {
    const known = this.#headed.get(tensor);
    if (known !== undefined) return known;
    const found = (this.#readers.get(tensor) ?? []).some(
      (node) =>
        (node.inputs[0] === tensor && (this.#convolves(node, true) || this.#pools(node) || repeats(node))) ||
        ((ELEMENTWISE.has(node.op) || ACTIVATIONS.has(node.op)) && this.isHeadedForBlocks(node.outputs[0])),
    );
    this.#headed.set(tensor, found);
    return found;
  }

  /** Notes what the node gives out, once it is known of its inputs. */
  follow(node: Node): void {
    if (!this.#staysBlocked(node)) return;
    this.#blocked.add(node.outputs[0]);
    if (node.op === 'Conv') this.#convolved.add(node.outputs[0]);
  }

  enter(tensor: string): void {
    this.#blocked.add(tensor);
  }

  #dims(tensor: string): readonly Dim[] {
    return this.shapes.get(tensor)?.dims ?? [];
  }

  #staysBlocked(node: Node): boolean {
    const [first] = node.inputs;
    if (node.op === 'Conv') return this.#convolves(node, false);
    if (POOLS.has(node.op)) return this.#pools(node);
    if (ELEMENTWISE.has(node.op))
      return node.inputs.every(
        (input) => this.isBlocked(input) && sameDims(this.#dims(input), this.#dims(first)),
      );
    if (repeats(node)) return this.isBlocked(first);
    if (FUSED.has(node.op)) return this.#convolved.has(first) && this.#readers.get(first)?.length === 1;
    return ACTIVATIONS.has(node.op) && this.isBlocked(first);
  }

  #pools(node: Node): boolean {
    const channels = this.#dims(node.inputs[0])[1];
    return (
      POOLS.has(node.op) &&
      node.outputs.length === 1 &&
      this.#dims(node.inputs[0]).length === 4 &&
      typeof channels === 'number' &&
      inBlocks(channels)
    );
  }

  /** Whether it gives out blocks, and on demand whether it also reads them: few channels it reads as they are. */
  #convolves(node: Node, reading: boolean): boolean {
    if (node.op !== 'Conv') return false;
    const constant = (name: string | undefined): boolean => !name || this.graph.initializers.has(name);
    const weight = this.graph.initializers.get(node.inputs[1]);
    if (weight?.dims.length !== 4 || weight.type !== 'float32' || !constant(node.inputs[2])) return false;
    const group = node.attributes['group'];
    const groups = group?.kind === 'int' ? Number(group.value) : 1;
    const [filters, depth] = weight.dims;
    if (groups === 1) return depth < 16 ? !reading : inFours(depth);
    const depthwise = depth === 1 && filters === groups;
    return inFours(filters) && (depthwise || (inBlocks(depth) && inBlocks(filters / groups)));
  }
}

/** @param shapes of every tensor of the graph */
export function stayBlocked(graph: Graph, shapes: Shapes): Graph {
  const layout = new Layout(graph, shapes);
  const builder = new GraphBuilder(graph);
  const entered = new Map<string, string>();
  const nodes: Node[] = [];
  for (const node of graph.nodes) {
    const [output] = node.outputs;
    const mixed =
      ELEMENTWISE.has(node.op) &&
      node.inputs.some((input) => layout.isBlocked(input)) &&
      node.inputs.every((input) => layout.isBlocked(input) || layout.fits(input, output)) &&
      layout.isHeadedForBlocks(output);
    const inputs = node.inputs.map((input) => {
      if (!mixed || layout.isBlocked(input)) return input;
      const known = entered.get(input);
      if (known !== undefined) return known;
      const channels = shapes.get(input)?.dims[1] as number;
      const inside = scaleChannels(builder, input, new Float32Array(channels).fill(1));
      nodes.push(...builder.build(graph.name).nodes.slice(-1));
      entered.set(input, inside);
      layout.enter(inside);
      return inside;
    });
    const moved = mixed ? { ...node, inputs } : node;
    nodes.push(moved);
    if (mixed) layout.enter(output);
    else layout.follow(node);
  }
  return { ...graph, nodes, initializers: builder.build(graph.name).initializers };
}
