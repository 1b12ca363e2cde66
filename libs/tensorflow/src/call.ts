/**
 * What an operator's function is given: its node, its inputs in the layout that it asks for, its attributes with
 * the standard's defaults, and a way to refuse that names the node.
 */
import { ModelError, type AttributeValue, type Node, type Tensor } from '@facet/onnx';
import { integersOf } from './constants.js';
import type { TF, TfTensor } from './tf.js';
import { Value, type Layout } from './value.js';

/** One ONNX operator on TensorFlow. Outputs in the node's order. */
export type Operator = (call: Call) => Value | TfTensor | readonly (Value | TfTensor)[];
export type Operators = Readonly<Record<string, Operator>>;

/** Values of attributes by their kind. */
type AttributeOf = {
  [K in AttributeValue['kind']]: Extract<AttributeValue, { kind: K }>['value'];
};

export class Call {
  constructor(
    readonly tf: TF,
    readonly node: Node,
    readonly inputs: readonly (Value | undefined)[],
    private readonly constants: readonly (Tensor | undefined)[],
  ) {}

  has(index: number): boolean {
    return this.inputs[index] !== undefined;
  }

  value(index: number): Value {
    return this.inputs[index] ?? this.refuse(`needs input ${index}`);
  }

  /** An input as ONNX has it. */
  input(index: number): TfTensor {
    return this.value(index).plain;
  }

  optional(index: number): TfTensor | undefined {
    return this.inputs[index]?.plain;
  }

  /** A feature map as NHWC. */
  featureMap(index: number): TfTensor {
    const value = this.value(index);
    if (value.rank !== 4)
      this.refuse(`takes feature maps of rank 4 here, not rank ${value.rank}; black-box attacks still work`);
    return value.channelsLast;
  }

  /** The integers of an input that is a shape, axes or the like. */
  integers(index: number): number[] | undefined {
    const value = this.inputs[index];
    if (value === undefined) return undefined;
    const constant = this.constants[index];
    return constant ? integersOf(constant) : Array.from(value.plain.dataSync());
  }

  /** Axes given as an input (operator set 13 and later, 18 for reductions) or, before, as an attribute. */
  axes(index: number): number[] | undefined {
    return this.integers(index) ?? this.ints('axes');
  }

  /** Applies a pointwise function to the first input in the layout that it has. */
  pointwise(apply: (x: TfTensor) => TfTensor): Value {
    const value = this.value(0);
    return this.made(apply(value.in(value.layout)), value.layout);
  }

  made(tensor: TfTensor, layout: Layout): Value {
    return new Value(this.tf, tensor, layout);
  }

  int(name: string, otherwise: number): number {
    const value = this.#attribute(name, 'int');
    return value === undefined ? otherwise : Number(value);
  }

  float(name: string, otherwise: number): number {
    return this.#attribute(name, 'float') ?? otherwise;
  }

  string(name: string, otherwise: string): string {
    return this.#attribute(name, 'string') ?? otherwise;
  }

  ints(name: string): number[] | undefined {
    return this.#attribute(name, 'ints')?.map(Number);
  }

  tensor(name: string): Tensor | undefined {
    return this.#attribute(name, 'tensor');
  }

  /** @throws ModelError `unsupported`, naming the node and its operator */
  refuse(message: string): never {
    throw new ModelError('unsupported', `${this.node.op} ${message}`, this.node.name);
  }

  #attribute<K extends AttributeValue['kind']>(name: string, kind: K): AttributeOf[K] | undefined {
    const attribute = this.node.attributes[name];
    if (attribute === undefined) return undefined;
    if (attribute.kind !== kind) this.refuse(`has a ${attribute.kind} where \`${name}\` is a ${kind}`);
    return attribute.value as AttributeOf[K];
  }
}

/** An axis counted from the front. */
export const axisOf = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);
