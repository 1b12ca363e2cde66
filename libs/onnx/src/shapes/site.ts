/**
 * What a rule sees of the node that it stands at: the attributes with their defaults, the inputs' shapes and,
 * where they are known, their elements. Every refusal goes through {@link Site.fail}, so all name the node.
 */
import { ModelError, type ModelFault } from '../errors.js';
import type { AttributeValue, Dim, ElementType, Node, TensorInfo } from '../graph.js';
import { dimsText, isFixed } from './dims.js';
import type { Entry, Value } from './values/value.js';

/** Shapes and element types of a node's outputs, in order; a rule may give more than the node names. */
export type Rule = (at: Site) => readonly TensorInfo[];

const wholeNumber = (entry: Entry): boolean =>
  entry !== undefined && Number.isInteger(isFixed(entry) ? entry : entry.perSample);

export class Site {
  constructor(
    readonly node: Node,
    readonly inputs: readonly (TensorInfo | undefined)[],
    readonly value: (index: number) => Value | undefined,
  ) {}

  fail(fault: ModelFault, message: string): never {
    throw new ModelError(fault, message, `node '${this.node.name}' (${this.node.op})`);
  }

  /** The shape of a required input. */
  input(index: number): TensorInfo {
    return this.inputs[index] ?? this.fail('invalid', `input ${index} is missing`);
  }

  dims(index: number): readonly Dim[] {
    return this.input(index).dims;
  }

  type(index: number): ElementType {
    return this.input(index).type;
  }

  has(index: number): boolean {
    return this.inputs[index] !== undefined;
  }

  /** Elements of an integer input that decides a shape: fixed, or multiples of N. */
  entries(index: number): Dim[] {
    const value = this.value(index);
    const name = this.node.inputs[index];
    const entries = value === undefined ? [undefined] : Array.from(value.entries);
    if (!entries.every(wholeNumber))
      this.fail('unsupported', `a shape depends on the data: '${name}' is not known before running`);
    return entries as Dim[];
  }

  /** Elements of an integer input that must not depend on the batch size. */
  numbers(index: number): number[] {
    return this.entries(index).map((entry) => this.fixed(entry, `'${this.node.inputs[index]}'`));
  }

  fixed(dim: Dim, what: string): number {
    return isFixed(dim) ? dim : this.fail('unsupported', `${what} depends on the batch size`);
  }

  /** Fails unless the input has `rank` axes or, with a second number, between the two. */
  rank(index: number, least: number, most = least): number {
    const dims = this.dims(index);
    if (dims.length >= least && dims.length <= most) return dims.length;
    return this.fail('invalid', `input ${index} ${dimsText(dims)} has ${dims.length} axes`);
  }

  /** An axis counted from the front, where the node may count from the back. */
  axis(axis: number, rank: number): number {
    const counted = axis < 0 ? axis + rank : axis;
    if (Number.isInteger(counted) && counted >= 0 && counted < rank) return counted;
    return this.fail('invalid', `axis ${axis} of ${rank}`);
  }

  axes(axes: readonly number[], rank: number): number[] {
    const counted = axes.map((axis) => this.axis(axis, rank));
    if (new Set(counted).size !== counted.length) this.fail('invalid', `axes ${axes.join()} repeat`);
    return counted;
  }

  int(name: string, otherwise?: number): number {
    const given = this.#attribute(name, 'int', otherwise);
    return typeof given === 'object' ? Number(given.value) : given;
  }

  string(name: string, otherwise?: string): string {
    const given = this.#attribute(name, 'string', otherwise);
    return typeof given === 'object' ? given.value : given;
  }

  ints(name: string, otherwise?: readonly number[]): readonly number[] {
    const given = this.#attribute(name, 'ints', otherwise);
    return 'kind' in given ? given.value.map(Number) : given;
  }

  #attribute<K extends AttributeValue['kind'], T>(
    name: string,
    kind: K,
    otherwise: T | undefined,
  ): Extract<AttributeValue, { kind: K }> | T {
    const given = this.node.attributes[name];
    if (given === undefined) return otherwise ?? this.fail('invalid', `attribute '${name}' is missing`);
    if (given.kind !== kind) return this.fail('invalid', `attribute '${name}' is not of kind ${kind}`);
    return given as Extract<AttributeValue, { kind: K }>;
  }
}

/** One output of the given type and shape. */
export const one = (type: ElementType, dims: readonly Dim[]): readonly TensorInfo[] => [{ type, dims }];
