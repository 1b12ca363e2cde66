/**
 * The float graph while it is written: every integer tensor of the quantised graph becomes a float one in the same
 * units, under the same name, but not rounded. So nodes between quantised operators (pooling, reshapes, joins) stay
 * as they are. What is dequantised right behind its quantisation is taken from in front of it, and weights are
 * dequantised here.
 */
import { type AttributeInput, GraphBuilder, scalarF32, tensorF32 } from '../builder.js';
import { ModelError } from '../errors.js';
import type { ElementType, Graph, Node, Shapes, Tensor } from '../graph.js';
import { along, asFloat, HALVES, RANGES, rounded } from './numbers.js';

/** How a tensor is quantised: real = (integer - zero) * scale, by name; '' is a scale of 1, a zero point of 0. */
export interface Scaling {
  readonly scale: string;
  readonly zero: string;
  /** Along which scale and zero point lie where they are lists. */
  readonly axis: number;
}

interface Quantised {
  readonly real: string;
  readonly scaling: Scaling;
}

export class Dequantising {
  readonly #builder: GraphBuilder;
  /** The source's constants and those that were computed from them, by name; halves as float32. */
  readonly #constants: Map<string, Tensor>;
  /** What stands for a tensor of the source where that is not the one of its name. */
  readonly #standIns = new Map<string, string>();
  /** Integer tensors of the source that are floats here. */
  readonly #floating = new Set<string>();
  readonly #quantised = new Map<string, Quantised>();
  readonly #dequantised = new Map<string, string>();
  /** Names of the nodes that stay, by their first output. */
  readonly #names = new Map<string, string>();

  constructor(
    private readonly source: Graph,
    private readonly shapes: Shapes,
  ) {
    const constants = [...source.initializers].map(
      ([name, tensor]) => [name, HALVES.has(tensor.type) ? asFloat(tensor) : tensor] as const,
    );
    this.#constants = new Map(constants);
    // With the source's nodes, so that their names are taken; `graph` cuts them off again.
    this.#builder = new GraphBuilder({ ...source, initializers: this.#constants });
  }

  type(name: string): ElementType | undefined {
    return this.shapes.get(name)?.type;
  }

  rank(name: string): number {
    return this.shapes.get(name)?.dims.length ?? 0;
  }

  isFloating(name: string): boolean {
    return this.#floating.has(name);
  }

  /** The tensor that stands for one of the source. */
  at(name: string): string {
    return this.#standIns.get(name) ?? name;
  }

  emit(
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeInput>> = {},
  ): string {
    return this.#builder.node(op, inputs, attributes);
  }

  number(value: number): string {
    const name = this.#builder.f32(value);
    this.#constants.set(name, scalarF32(value));
    return name;
  }

  /** `tensor` stands for the source's `output`; in integer units where that is an integer tensor. */
  give(output: string, tensor: string): void {
    if (output === '') return;
    this.#builder.node('Identity', [tensor], {}, output);
    this.#standIns.set(output, tensor);
    if (!isFloat(this.type(output))) this.#floating.add(output);
  }

  /** A node that stays; `floating` where it computes with floats instead of integers. */
  keep(node: Node, floating: boolean): void {
    this.#builder.nodes(node.op, node.inputs, node.attributes, node.outputs, node.domain);
    this.#names.set(node.outputs[0], node.name);
    if (floating) for (const name of node.outputs) if (isQuantised(this.type(name))) this.#floating.add(name);
  }

  /** An integer tensor as floats of the same value; float tensors as they are. */
  float(name: string): string {
    if (this.#floating.has(name) || isFloat(this.type(name))) return this.at(name);
    return this.dequantise(name, { scale: '', zero: '', axis: 0 });
  }

  /** (integer - zero) * scale; of a constant, a constant. */
  dequantise(name: string, scaling: Scaling): string {
    const quantised = this.#quantised.get(name);
    if (quantised && this.#same(quantised.scaling, scaling)) return quantised.real;
    const key = JSON.stringify([name, scaling]);
    const known = this.#dequantised.get(key) ?? this.#scaled(name, scaling);
    this.#dequantised.set(key, known);
    return known;
  }

  /**
   * Floats in the place of quantised ones: not rounded, but clipped to what the integer type holds, where the
   * gradient ends too. Constants are rounded: they are the same for every input.
   */
  quantise(output: string, real: string, scaling: Scaling): void {
    const range = RANGES[this.type(output) ?? 'string'];
    if (range === undefined) return this.refuse(output, `quantises to ${this.type(output)}`);
    const [scale, zero] = [this.#constants.get(scaling.scale), this.#zeroOf(scaling.zero)];
    const fixed = scale !== undefined && zero !== undefined;
    const known = this.#constants.get(real);
    if (fixed && known !== undefined) {
      const [by, from] = [scale, zero].map((tensor) => along(tensor, known.dims, scaling.axis));
      const data = (known.data as Float32Array).map((value, i) =>
        Math.min(range[1], Math.max(range[0], rounded(Math.fround(value / by(i))) + from(i))),
      );
      return this.give(output, this.#constant(`${output}/integers`, tensorF32(known.dims, data)));
    }
    if (fixed && scale.data.length === 1 && zero.data.length === 1) {
      const [factor, offset] = [Number(scale.data[0]), Number(zero.data[0])];
      const [low, high] = range.map((bound) => this.number((bound - offset) * factor));
      const clipped = this.emit('Clip', [real, low, high]);
      this.#quantised.set(output, { real: clipped, scaling });
      const units = this.emit('Div', [clipped, this.number(factor)]);
      return this.give(output, this.emit('Add', [units, this.number(offset)]));
    }
    const units = this.emit('Div', [real, this.#along(scaling.scale, output, scaling.axis)]);
    const shifted = scaling.zero
      ? this.emit('Add', [units, this.#along(scaling.zero, output, scaling.axis)])
      : units;
    return this.give(output, this.emit('Clip', [shifted, ...range.map((bound) => this.number(bound))]));
  }

  refuse(output: string, problem: string): never {
    const node = this.source.nodes.find((one) => one.outputs.includes(output));
    throw new ModelError('unsupported', problem, `node '${node?.name}' (${node?.op})`);
  }

  /** What was written; inputs of half precision are float32. */
  graph(): Graph {
    const built = this.#builder.build(this.source.name);
    return {
      ...built,
      inputs: built.inputs.map((value) => (HALVES.has(value.type) ? { ...value, type: 'float32' } : value)),
      nodes: built.nodes
        .slice(this.source.nodes.length)
        .map((node) => ({ ...node, name: this.#names.get(node.outputs[0]) ?? node.name })),
    };
  }

  #constant(hint: string, tensor: Tensor): string {
    const name = this.#builder.initializer(hint, tensor);
    this.#constants.set(name, tensor);
    return name;
  }

  #zeroOf(name: string): Tensor | undefined {
    return name === '' ? scalarF32(0) : this.#constants.get(this.at(name));
  }

  #same(a: Scaling, b: Scaling): boolean {
    const equal = (one: string, other: string): boolean => {
      const [left, right] = [one, other].map((name) => this.#zeroOf(name)?.data);
      return one === other || (left !== undefined && String(left) === String(right));
    };
    return a.scale !== '' && b.scale !== '' && equal(a.scale, b.scale) && equal(a.zero, b.zero);
  }

  #scaled(name: string, { scale, zero, axis }: Scaling): string {
    const known = this.#constants.get(this.at(name));
    const by = scale === '' ? scalarF32(1) : this.#constants.get(this.at(scale));
    const from = this.#zeroOf(zero);
    if (known && by && from) {
      const values = asFloat(known).data as Float32Array;
      const [factor, offset] = [by, from].map((tensor) => along(tensor, known.dims, axis));
      const data = values.map((value, i) => (value - offset(i)) * factor(i));
      return this.#constant(`${name}/dequantised`, tensorF32(known.dims, data));
    }
    const integers = this.#floating.has(name) ? this.at(name) : this.emit('Cast', [this.at(name)], { to: 1 });
    const nothing = from !== undefined && Array.from(from.data as ArrayLike<number>).every((v) => v === 0);
    const centred = nothing ? integers : this.emit('Sub', [integers, this.#along(zero, name, axis)]);
    return scale === '' ? centred : this.emit('Mul', [centred, this.#along(scale, name, axis)]);
  }

  /** A scale or zero point as floats that broadcast to `tensor` along its axis. */
  #along(name: string, tensor: string, axis: number): string {
    const dims = this.shapes.get(name)?.dims ?? [];
    const rank = this.rank(tensor);
    const values = this.float(name);
    if (dims.length === 0) return values;
    const shape = new Array<number>(rank).fill(1);
    if (dims.length === 1 && dims[0] !== 1) shape[axis < 0 ? axis + rank : axis] = -1;
    return dims.length === 1 ? this.emit('Reshape', [values, this.#builder.i64(shape)]) : values;
  }
}

const isFloat = (type: ElementType | undefined): boolean => /^b?float/.test(type ?? '');
/** What quantised operators compute with; int32 holds their sums. */
export const isQuantised = (type: ElementType | undefined): boolean =>
  type === 'int32' || RANGES[type ?? 'string'] !== undefined;
