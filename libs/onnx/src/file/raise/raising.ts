/** A graph while its nodes are rewritten, one after the other: what rewrites read, and what they append. */
import { ModelError } from '../../errors.js';
import type { AttributeValue, Dim, ElementType, Graph, Model, Node, Tensor } from '../../graph.js';
import { inferShapes } from '../../shapes/index.js';
import { Names } from '../names.js';
import { nodeAt } from '../where.js';

/** Element types by their numbers in Cast's attribute, as far as they are floating. */
const FLOAT_CODES: Partial<Record<ElementType, number>> = { float16: 10, float64: 11, bfloat16: 16 };
const CAST_TARGETS = new Map<bigint, ElementType>([
  [1n, 'float32'],
  [10n, 'float16'],
  [11n, 'float64'],
  [16n, 'bfloat16'],
]);
/** Operators whose output has the type of another input than the first. */
const TYPE_INPUT: Readonly<Record<string, number>> = { Where: 1, DequantizeLinear: 1, OneHot: 2 };

export class Raising {
  readonly opset: number;
  readonly #graph: Graph;
  readonly #nodes: Node[] = [];
  readonly #initializers: Map<string, Tensor>;
  readonly #names: Names;
  readonly #read: ReadonlySet<string>;
  readonly #types = new Map<string, ElementType>();

  constructor({ opset, graph }: Model) {
    this.opset = opset;
    this.#graph = graph;
    this.#initializers = new Map(graph.initializers);
    for (const { name, type } of graph.inputs) this.#types.set(name, type);
    for (const [name, { type }] of graph.initializers) this.#types.set(name, type);
    this.#names = new Names(graph);
    this.#read = new Set([
      ...graph.nodes.flatMap(({ inputs }) => inputs),
      ...graph.outputs.map(({ name }) => name),
    ]);
  }

  push(node: Node): void {
    this.#nodes.push(node);
    const to = node.op === 'Cast' && node.attributes['to'];
    const type =
      to && to.kind === 'int'
        ? CAST_TARGETS.get(to.value)
        : this.#types.get(node.inputs[TYPE_INPUT[node.op] ?? 0] ?? '');
    if (type !== undefined) for (const name of node.outputs) this.#types.set(name, type);
  }

  /** Appends a node of our own before the one that is rewritten, and returns its output. */
  append(op: string, inputs: readonly string[], attributes: Node['attributes'], hint: string): string {
    const output = this.#names.fresh(hint);
    this.push({
      name: this.#names.fresh(`${output}/${op}`),
      op,
      domain: '',
      inputs,
      outputs: [output],
      attributes,
    });
    return output;
  }

  constant(tensor: Tensor, hint: string): string {
    const name = this.#names.fresh(hint);
    this.#initializers.set(name, tensor);
    this.#types.set(name, tensor.type);
    return name;
  }

  i64(values: readonly bigint[], hint: string): string {
    return this.constant({ type: 'int64', dims: [values.length], data: BigInt64Array.from(values) }, hint);
  }

  /** A scalar of the floating type that `like` has. */
  scalar(value: number, like: string, hint: string): string {
    const name = this.constant({ type: 'float32', dims: [], data: Float32Array.of(value) }, hint);
    const to = FLOAT_CODES[this.#types.get(like) ?? 'float32'];
    return to === undefined
      ? name
      : this.append('Cast', [name], { to: { kind: 'int', value: BigInt(to) } }, hint);
  }

  /** The elements of an input that is a constant of the file. */
  tensor(name: string): Tensor | undefined {
    return this.#initializers.get(name);
  }

  isRead(name: string): boolean {
    return this.#read.has(name);
  }

  /** A tensor's shape, where it can be known so far. */
  dims(name: string): readonly Dim[] | undefined {
    const inputs = new Map<string, readonly Dim[]>();
    for (const { name: input, dims } of this.#graph.inputs) {
      if (dims.slice(1).some((dim) => typeof dim === 'string')) return undefined;
      inputs.set(
        input,
        dims.map((dim) => (typeof dim === 'string' ? { perSample: 1 } : dim)),
      );
    }
    try {
      const graph = { ...this.#graph, nodes: this.#nodes, initializers: this.#initializers, outputs: [] };
      return inferShapes(graph, inputs).get(name)?.dims;
    } catch (error) {
      if (error instanceof ModelError) return undefined;
      throw error;
    }
  }

  graph(): Graph {
    return { ...this.#graph, nodes: this.#nodes, initializers: this.#initializers };
  }
}

/** What stands in a node's place; undefined leaves the node as it is. */
export type Rewrite = (node: Node, graph: Raising) => Node | undefined;

export const refuse = (node: Node, why: string): never => {
  throw new ModelError(
    'unsupported',
    why,
    nodeAt({ name: node.name, opType: node.op, output: [...node.outputs] }),
  );
};

type ValueOf<K extends AttributeValue['kind']> = Extract<AttributeValue, { kind: K }>['value'];

/** An attribute's value if it is there and of this kind. */
export function attribute<K extends AttributeValue['kind']>(
  node: Node,
  name: string,
  kind: K,
): ValueOf<K> | undefined {
  const given = node.attributes[name];
  return (given?.kind === kind ? given.value : undefined) as ValueOf<K> | undefined;
}

export const without = (node: Node, ...names: readonly string[]): Node['attributes'] =>
  Object.fromEntries(Object.entries(node.attributes).filter(([name]) => !names.includes(name)));
