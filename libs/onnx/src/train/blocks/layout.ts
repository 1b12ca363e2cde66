/**
 * Both forms of a graph's maps while it is laid out anew: as ONNX has them, and in blocks of channels (NCHWc: [N, C / B, H,
 * W, B]), which ONNX Runtime's fastest convolutions read and write. A map in blocks keeps the dims [N, C, H, W] by name, as
 * it does inside of the runtime, so what works element by element does not know the difference. A tensor is reordered at most
 * once, and only when somebody asks for the form that nobody has made.
 */
import { type AttributeInput, GraphBuilder } from '../../builder.js';
import { consumers } from '../../graph-tools/walk.js';
import type { Dim, Graph, Node, Shapes, Tensor } from '../../graph.js';

/** Of ONNX Runtime's own operators on blocks; what each takes is in its nchwc_schema_defs.cc. */
export const NCHWC = 'com.microsoft.nchwc';

export type Attributes = Readonly<Record<string, AttributeInput>>;

export class Layout {
  readonly b: GraphBuilder;
  readonly #graph: Graph;
  readonly #shapes: Shapes;
  readonly #readers: ReadonlyMap<string, readonly Node[]>;
  readonly #results: ReadonlySet<string>;
  readonly #plain: Set<string>;
  readonly #blocked = new Map<string, string>();
  readonly #done = new Set<Node>();

  /**
   * @param block channels of a block, as the runtime has it on this processor
   * @param batch samples of every run
   */
  constructor(
    graph: Graph,
    shapes: Shapes,
    readonly block: number,
    readonly batch: number,
  ) {
    const names = graph.nodes.flatMap(({ name, outputs }) => [name, ...outputs]);
    this.b = new GraphBuilder({ ...graph, nodes: [] }, names);
    this.#graph = graph;
    this.#shapes = shapes;
    this.#readers = consumers(graph);
    this.#results = new Set(graph.outputs.map(({ name }) => name));
    this.#plain = new Set([...graph.inputs.map(({ name }) => name), ...graph.initializers.keys()]);
  }

  dims(tensor: string): readonly Dim[] {
    return this.#shapes.get(tensor)?.dims ?? [];
  }

  /** The fixed sizes behind the batch. */
  sizes(tensor: string): readonly [channels: number, height: number, width: number] {
    const [channels, height, width] = this.dims(tensor).slice(1).map(Number);
    return [channels, height, width];
  }

  isFloat(tensor: string): boolean {
    return this.#shapes.get(tensor)?.type === 'float32';
  }

  constant(tensor: string): Tensor | undefined {
    return this.#graph.initializers.get(tensor);
  }

  /** Maps [N, C, H, W] whose channels fill whole blocks. */
  fits(tensor: string): boolean {
    const [batch, channels, ...places] = this.dims(tensor);
    const fixed = [channels, ...places].every((dim) => typeof dim === 'number');
    return typeof batch === 'object' && places.length === 2 && fixed && Number(channels) % this.block === 0;
  }

  isBlocked(tensor: string): boolean {
    return this.#blocked.has(tensor);
  }

  isMade(tensor: string): boolean {
    return this.#plain.has(tensor) || this.#blocked.has(tensor);
  }

  isDone(node: Node): boolean {
    return this.#done.has(node);
  }

  readers(tensor: string): readonly Node[] {
    return this.#readers.get(tensor) ?? [];
  }

  /** The node that alone reads a tensor which is no result. */
  onlyReader(tensor: string): Node | undefined {
    const readers = this.readers(tensor);
    return readers.length === 1 && !this.#results.has(tensor) ? readers[0] : undefined;
  }

  plain(tensor: string): string {
    const blocked = this.#blocked.get(tensor);
    if (blocked !== undefined && !this.#plain.has(tensor)) {
      this.b.nodes('ReorderOutput', [blocked], { channels: this.sizes(tensor)[0] }, [tensor], NCHWC);
      this.#plain.add(tensor);
    }
    return tensor;
  }

  blocked(tensor: string): string {
    const known = this.#blocked.get(tensor);
    if (known !== undefined) return known;
    const made = this.onBlocks('ReorderInput', [this.plain(tensor)], {});
    this.#blocked.set(tensor, made);
    return made;
  }

  /** Appends one of the runtime's operators on blocks. */
  onBlocks(op: string, inputs: readonly string[], attributes: Attributes): string {
    return this.b.nodes(op, inputs, attributes, [this.b.fresh(`blocks/${op.toLowerCase()}`)], NCHWC)[0];
  }

  madeBlocked(tensor: string, blocked: string): void {
    this.#blocked.set(tensor, blocked);
  }

  /** Appends a node that gives a tensor in ONNX's form. */
  madePlain(
    op: string,
    inputs: readonly string[],
    attributes: Attributes,
    tensor: string,
    domain = '',
  ): void {
    this.b.nodes(op, inputs, attributes, [tensor], domain);
    this.#plain.add(tensor);
  }

  /** Keeps a node as it is. */
  keep(node: Node): void {
    const inputs = node.inputs.map((input) => (input === '' ? '' : this.plain(input)));
    this.b.nodes(node.op, inputs, node.attributes, node.outputs, node.domain);
    for (const output of node.outputs) this.#plain.add(output);
  }

  /** What another node has done already. */
  skip(node: Node): void {
    this.#done.add(node);
  }
}
