/**
 * What a gradient rule sees of its node, and what it hands back. A rule appends ordinary nodes that compute the
 * gradient of some scalar with respect to the node's inputs, given that with respect to its outputs.
 */
import type { AttributeInput, GraphBuilder } from '../builder.js';
import { ModelError } from '../errors.js';
import type { Dim, ElementType, Graph, Node, Shapes, Tensor } from '../graph.js';

/** One gradient per input, of the input's shape; undefined where it was not wanted or is zero everywhere. */
export type Rule = (context: RuleContext) => readonly (string | undefined)[];

export class RuleContext {
  constructor(
    readonly builder: GraphBuilder,
    readonly node: Node,
    /** The gradient of each output; undefined where none flows. */
    readonly gradients: readonly (string | undefined)[],
    /** Whether each input's gradient is asked for. */
    readonly wanted: readonly boolean[],
    readonly graph: Graph,
    readonly shapes: Shapes,
  ) {}

  /** The gradient of the first output, for operators that are differentiated through no other one. */
  get gradient(): string {
    const [first, ...others] = this.gradients;
    if (first === undefined || others.some((g) => g !== undefined))
      this.refuse('can be differentiated through its first output only');
    return first;
  }

  get inputs(): readonly string[] {
    return this.node.inputs;
  }

  get output(): string {
    return this.node.outputs[0];
  }

  /** Appends a node and returns its output. */
  emit(
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeInput>> = {},
  ): string {
    return this.builder.node(op, inputs, attributes);
  }

  dims(tensor: string): readonly Dim[] {
    return this.shapes.get(tensor)?.dims ?? this.refuse(`the shape of "${tensor}" is not known`);
  }

  /** The size of a tensor along an axis that must not depend on the batch. */
  size(tensor: string, axis: number): number {
    const dim = this.dims(tensor).at(axis);
    return typeof dim === 'number'
      ? dim
      : this.refuse(`axis ${axis} of "${tensor}" must not depend on the batch`);
  }

  type(tensor: string): ElementType {
    return this.shapes.get(tensor)?.type ?? this.refuse(`the type of "${tensor}" is not known`);
  }

  /** The value of a constant tensor. */
  constant(tensor: string): Tensor | undefined {
    return this.graph.initializers.get(tensor);
  }

  /** The integers of a constant input; undefined where the input is left out. */
  integers(input: number): readonly number[] | undefined {
    const name = this.inputs.at(input);
    if (!name) return undefined;
    const tensor = this.constant(name) ?? this.refuse(`its input "${name}" must be constant`);
    return Array.from(tensor.data as ArrayLike<number | bigint>, Number);
  }

  /** An integer attribute. */
  int(name: string, fallback: number): number {
    const value = this.node.attributes[name];
    return value?.kind === 'int' ? Number(value.value) : fallback;
  }

  /** A list of integers; undefined where the attribute is absent. */
  ints(name: string): readonly number[] | undefined {
    const value = this.node.attributes[name];
    return value?.kind === 'ints' ? value.value.map(Number) : undefined;
  }

  /** A float attribute. */
  float(name: string, fallback: number): number {
    const value = this.node.attributes[name];
    return value?.kind === 'float' ? value.value : fallback;
  }

  text(name: string, fallback: string): string {
    const value = this.node.attributes[name];
    return value?.kind === 'string' ? value.value : fallback;
  }

  /** The attribute `name` as an axis of an input of that rank. */
  axis(name: string, fallback: number, rank: number): number {
    const axis = this.int(name, fallback);
    return axis < 0 ? axis + rank : axis;
  }

  /** Refuses the node: it is valid, but there is no gradient for it here. */
  refuse(reason: string): never {
    throw new ModelError(
      'unsupported',
      `${this.node.op} has no gradient here: ${reason}. What does not pass through it can still be attacked.`,
      this.node.name,
    );
  }
}
