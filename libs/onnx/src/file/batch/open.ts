/** Constant sizes that hold the batch: where the graph says 1 and means one sample, it is told to follow. */
import { ModelError } from '../../errors.js';
import type { Dim, Graph, Node, Shapes, Tensor } from '../../graph.js';
import { dimAt, isFixed } from '../../shapes/dims.js';
import { inferShapes } from '../../shapes/index.js';
import { Names } from '../names.js';
import { named, nodeAt } from '../where.js';
import { followBatch, READS_SHAPES } from './mixing.js';
import { batchAxis, openTarget } from './reshape.js';

/** Shapes with axis 0 of the inputs fixed, or open. */
export function shapesAt(graph: Graph, batch: number | 'open'): Shapes {
  const first: Dim = batch === 'open' ? { perSample: 1 } : batch;
  const inputs = new Map<string, readonly Dim[]>();
  for (const { name, dims } of graph.inputs) {
    const rest = dims.slice(1).map((dim, axis): number => {
      if (typeof dim === 'number') return dim;
      throw new ModelError('unsupported', `axis ${axis + 1} ('${dim}') is not fixed`, named('input', name));
    });
    inputs.set(name, [first, ...rest]);
  }
  try {
    return inferShapes(graph, inputs);
  } catch (cause) {
    if (batch !== 'open' || !(cause instanceof ModelError) || cause.fault === 'limit') throw cause;
    const why = cause.where === undefined ? cause.message : cause.message.slice(cause.where.length + 2);
    throw new ModelError('unsupported', `cannot follow the batch: ${why}`, cause.where, { cause });
  }
}

/**
 * The graph with constant sizes of Reshape and Resize, and constants that are joined with a batch, following it.
 *
 * @param closed shapes at a batch of `batch`, which the graph was exported with.
 */
export function openSizes(graph: Graph, closed: Shapes, batch: number): Graph {
  const opening = new Opening(graph, closed, batch);
  for (const node of graph.nodes) opening.add(node);
  return opening.graph();
}

class Opening {
  readonly #nodes: Node[] = [];
  readonly #initializers: Map<string, Tensor>;
  readonly #names: Names;
  /** Tensors that grow with the inputs, as far as nodes say. */
  readonly #fed: Set<string>;
  #known: Shapes = new Map();
  #outers: ReadonlyMap<string, number> = new Map();

  constructor(
    private readonly source: Graph,
    private readonly closed: Shapes,
    private readonly batch: number,
  ) {
    this.#initializers = new Map(source.initializers);
    this.#fed = new Set(source.inputs.map(({ name }) => name));
    this.#names = new Names(source);
  }

  add(node: Node): void {
    const fed = node.inputs.map((name) => this.#fed.has(name));
    if (fed.includes(true) && !READS_SHAPES.has(node.op))
      for (const name of node.outputs) this.#fed.add(name);
    if (node.op === 'Reshape' && fed[0]) this.#nodes.push(this.#reshape(node));
    else if (node.op === 'Resize' && fed[0]) this.#nodes.push(this.#resize(node));
    else if (node.op === 'Concat' && fed.includes(true) && fed.includes(false))
      this.#nodes.push(this.#concat(node));
    else this.#nodes.push(node);
  }

  graph(): Graph {
    const read = new Set(this.#nodes.flatMap(({ inputs }) => inputs));
    const used = [...this.#initializers].filter(
      ([name]) => read.has(name) || this.source.outputs.some((output) => output.name === name),
    );
    return { ...this.source, nodes: this.#nodes, initializers: new Map(used) };
  }

  #reshape(node: Node): Node {
    const [data, shape] = node.inputs;
    const target = this.#initializers.get(shape);
    const dims = this.#dims(data);
    if (target === undefined || batchAxis(dims) < 0) return node;
    const output = this.#closedDims(node.outputs[0]);
    const open = openTarget(target, { dims, outer: this.#outers.get(data) ?? 1 }, output, this.batch);
    if (open === undefined)
      throw new ModelError(
        'unsupported',
        `[${output.join()}] has no axis that could follow the batch`,
        nodeAt({ name: node.name, opType: node.op, output: [...node.outputs] }),
      );
    return { ...node, inputs: [data, this.#constant(open, `${shape}/batched`)] };
  }

  /** Constant sizes of all axes become those of all but the batch's. */
  #resize(node: Node): Node {
    const [data, roi = '', , sizes = ''] = node.inputs;
    const target = this.#initializers.get(sizes);
    if (target === undefined || node.attributes['axes'] !== undefined || roi !== '') return node;
    if (batchAxis(this.#dims(data)) !== 0 || Number(target.data[0]) !== this.batch) return node;
    const rest = { ...target, dims: [target.data.length - 1], data: target.data.slice(1) };
    const axes = Array.from({ length: rest.data.length }, (_, index) => BigInt(index + 1));
    return {
      ...node,
      inputs: [data, '', '', this.#constant(rest, `${sizes}/batched`)],
      attributes: { ...node.attributes, axes: { kind: 'ints', value: axes } },
    };
  }

  /** A class token beside the patches of one sample is repeated for each sample. */
  #concat(node: Node): Node {
    const leader = node.inputs.find((name) => this.#fed.has(name) && batchAxis(this.#dims(name)) === 0);
    if (leader === undefined || this.batch !== 1) return node;
    const inputs = node.inputs.map((name) => {
      const dims = this.#dims(name);
      return dims[0] === 1 && dims.every(isFixed) ? this.#repeated(name, dims, leader) : name;
    });
    return { ...node, inputs };
  }

  #repeated(name: string, dims: readonly Dim[], leader: string): string {
    const append = (op: string, inputs: string[], attributes: Node['attributes'], hint: string): string => {
      const output = this.#names.fresh(`${name}/${hint}`);
      this.#nodes.push({
        name: this.#names.fresh(`${output}/${op}`),
        op,
        domain: '',
        inputs,
        outputs: [output],
        attributes,
      });
      return output;
    };
    const rest = dims.slice(1) as readonly number[];
    const sizes: Tensor = { type: 'int64', dims: [rest.length], data: BigInt64Array.from(rest, BigInt) };
    const rows = append('Shape', [leader], { end: { kind: 'int', value: 1n } }, 'batch');
    const axis = { axis: { kind: 'int', value: 0n } } as const;
    const shape = append('Concat', [rows, this.#constant(sizes, `${name}/sizes`)], axis, 'shape');
    return append('Expand', [name, shape], {}, 'batched');
  }

  /** With the batch open; inferred again only when nodes have come since that matter. */
  #dims(name: string): readonly Dim[] {
    if (!this.#known.has(name)) {
      const graph = { ...this.source, nodes: this.#nodes, initializers: this.#initializers, outputs: [] };
      this.#known = shapesAt(graph, 'open');
      this.#outers = followBatch(this.#nodes, this.#known);
    }
    return this.#known.get(name)?.dims ?? [];
  }

  #closedDims(name: string): number[] {
    return (this.closed.get(name)?.dims ?? []).map((dim) => dimAt(dim, this.batch));
  }

  #constant(tensor: Tensor, hint: string): string {
    const name = this.#names.fresh(hint);
    this.#initializers.set(name, tensor);
    return name;
  }
}
