/** Appends nodes to a graph under fresh names: how networks, gradients, losses and optimisers are all written. */
import type { AttributeValue, ElementType, Graph, Model, Node, Tensor, ValueInfo } from './graph.js';

/** Attributes as people write them: an integer is an int, use {@link float} for a float that looks like one. */
export type AttributeInput =
  number | string | Tensor | readonly number[] | readonly string[] | AttributeValue;

/** A float attribute; ONNX Runtime refuses an INT where an operator wants a FLOAT. */
export const float = (value: number): AttributeValue => ({ kind: 'float', value });
export const floats = (value: readonly number[]): AttributeValue => ({ kind: 'floats', value });

export const tensorF32 = (dims: readonly number[], data: ArrayLike<number>): Tensor => ({
  type: 'float32',
  dims,
  data: data instanceof Float32Array ? data : Float32Array.from(data),
});
export const scalarF32 = (value: number): Tensor => tensorF32([], [value]);
export const tensorI64 = (data: readonly number[], dims: readonly number[] = [data.length]): Tensor => ({
  type: 'int64',
  dims,
  data: BigInt64Array.from(data, BigInt),
});

function attribute(value: AttributeInput): AttributeValue {
  if (typeof value === 'number') {
    if (!Number.isInteger(value)) return { kind: 'float', value };
    return { kind: 'int', value: BigInt(value) };
  }
  if (typeof value === 'string') return { kind: 'string', value };
  if ('kind' in value) return value;
  if ('dims' in value) return { kind: 'tensor', value };
  if (value.length > 0 && typeof value[0] === 'string')
    return { kind: 'strings', value: value as readonly string[] };
  return { kind: 'ints', value: (value as readonly number[]).map((v) => BigInt(v)) };
}

export class GraphBuilder {
  readonly #nodes: Node[];
  readonly #initializers: Map<string, Tensor>;
  readonly #constants = new Map<string, string>();
  readonly #taken = new Set<string>();
  readonly #inputs: ValueInfo[];
  readonly #outputs: ValueInfo[];
  #counter = 0;

  /** @param reserved names that others will have, and nothing fresh may get */
  constructor(graph?: Graph, reserved: Iterable<string> = []) {
    this.#nodes = [...(graph?.nodes ?? [])];
    this.#initializers = new Map(graph?.initializers ?? []);
    this.#inputs = [...(graph?.inputs ?? [])];
    this.#outputs = [...(graph?.outputs ?? [])];
    for (const name of reserved) this.#taken.add(name);
    for (const value of this.#inputs) this.#taken.add(value.name);
    for (const name of this.#initializers.keys()) this.#taken.add(name);
    for (const node of this.#nodes) for (const name of [node.name, ...node.outputs]) this.#taken.add(name);
  }

  /** A name that nothing in the graph has. */
  fresh(hint: string): string {
    let name = hint;
    while (this.#taken.has(name)) name = `${hint}_${++this.#counter}`;
    this.#taken.add(name);
    return name;
  }

  input(name: string, type: ElementType, dims: readonly (number | string)[]): string {
    this.#taken.add(name);
    this.#inputs.push({ name, type, dims });
    return name;
  }

  /** Makes an existing tensor an output of the graph, under `name` if one is given. */
  output(tensor: string, type: ElementType, dims: readonly (number | string)[], name = tensor): string {
    if (name !== tensor) this.node('Identity', [tensor], {}, name);
    this.#outputs.push({ name, type, dims });
    return name;
  }

  /** A weight: its name is kept, so that it can be found again. */
  initializer(name: string, tensor: Tensor): string {
    const given = this.fresh(name);
    this.#initializers.set(given, tensor);
    return given;
  }

  /** A constant; small equal ones are shared. */
  constant(tensor: Tensor): string {
    const small = (tensor.data as ArrayLike<unknown>).length <= 16;
    const key = small
      ? `${tensor.type}[${tensor.dims.join()}]${Array.from<unknown>(tensor.data).join()}`
      : '';
    const known = small ? this.#constants.get(key) : undefined;
    if (known !== undefined) return known;
    const name = this.initializer('const', tensor);
    if (small) this.#constants.set(key, name);
    return name;
  }

  /** Appends a node and returns its first output; `name` names that output. */
  node(
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeInput>> = {},
    name?: string,
  ): string {
    return this.nodes(op, inputs, attributes, [name ?? this.fresh(op.toLowerCase())])[0];
  }

  /** Appends a node with several outputs; `outputs` are their names. */
  nodes(
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeInput>>,
    outputs: readonly string[],
    domain = '',
  ): readonly string[] {
    for (const output of outputs) this.#taken.add(output);
    this.#nodes.push({
      name: this.fresh(`${outputs[0]}/${op}`),
      op,
      domain,
      inputs,
      outputs,
      attributes: Object.fromEntries(
        Object.entries(attributes).map(([key, value]) => [key, attribute(value)]),
      ),
    });
    return outputs;
  }

  f32(value: number): string {
    return this.constant(scalarF32(value));
  }

  i64(values: readonly number[]): string {
    return this.constant(tensorI64(values));
  }

  build(name: string): Graph {
    return {
      name,
      inputs: [...this.#inputs],
      outputs: [...this.#outputs],
      nodes: [...this.#nodes],
      initializers: new Map(this.#initializers),
    };
  }
}

/** Operator set and IR version of what we write; every runtime that Facet accepts loads them. */
export const OUR_OPSET = 18;
export const OUR_IR_VERSION = 9;

/** Wraps a graph of our own making as a model. */
export const modelOf = (graph: Graph, metadata: ReadonlyMap<string, string> = new Map()): Model => ({
  irVersion: OUR_IR_VERSION,
  opset: OUR_OPSET,
  domains: new Map(),
  producer: 'facet',
  metadata,
  graph,
});
