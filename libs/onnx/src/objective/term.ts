/** What every term is written with: its context, and checks and shapes that several share. */
import type { GraphBuilder } from '../builder.js';
import { ModelError } from '../errors.js';
import type { Dim, ElementType, Graph, Shapes } from '../graph.js';
import { BATCH } from './frame.js';
import type { Side } from './spec.js';

export interface Seeded {
  /** The tensor that the gradient belongs to. */
  readonly tensor: string;
  readonly gradient: string;
  readonly value: string;
}

export interface TermContext {
  readonly builder: GraphBuilder;
  readonly graph: Graph;
  readonly shapes: Shapes;
  /** 1 - 2 label as float [N, 1]. */
  readonly sign: () => string;
  /** Declares an input once. */
  readonly input: (name: string, type: ElementType, dims: readonly (number | string)[]) => string;
}

/** A sample's sizes; the tensor's first axis must be the batch. */
export function perSample(c: TermContext, tensor: string): number[] {
  const dims: readonly Dim[] = c.shapes.get(tensor)?.dims ?? [];
  const [batch, ...rest] = dims;
  const sizes = rest.filter((dim) => typeof dim === 'number');
  if (batch === undefined || typeof batch === 'number' || batch.perSample !== 1 || sizes.length < rest.length)
    throw new ModelError('unsupported', 'does not have the batch as its first and only open axis', tensor);
  return sizes;
}

/** The number of classes of [N, K]. */
export function classes(c: TermContext, tensor: string): number {
  const sizes = perSample(c, tensor);
  if (sizes.length === 1) return sizes[0];
  throw new ModelError('unsupported', `must be [${BATCH}, classes]`, tensor);
}

/** The tensor must hold one number per sample: [N] or [N, 1]. */
export function single(c: TermContext, tensor: string): void {
  const sizes = perSample(c, tensor);
  if (sizes.length > 1 || (sizes[0] ?? 1) !== 1)
    throw new ModelError('unsupported', `must be [${BATCH}] or [${BATCH}, 1]`, tensor);
}

export const flat = (b: GraphBuilder, tensor: string): string => b.node('Reshape', [tensor, b.i64([-1])]);

export const times = (b: GraphBuilder, a: string, other: string): string => b.node('Mul', [a, other]);

/** `sign`, or its negative where the number is high for live, in the shape of a sample's tensor of `rank` axes. */
export function towardsOther(c: TermContext, high: Side, rank: number): string {
  const b = c.builder;
  const sign = high === 'spoof' ? c.sign() : b.node('Neg', [c.sign()]);
  return rank === 2 ? sign : b.node('Reshape', [sign, b.i64([-1, ...Array<number>(rank - 1).fill(1)])]);
}

export function rowSum(b: GraphBuilder, tensor: string): string {
  return b.node('ReduceSum', [tensor, b.i64([1])], { keepdims: 0 });
}
