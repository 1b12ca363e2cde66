/** The axes of a reduction, which are an input since opset 18 (13 for ReduceSum) and an attribute before. */
import type { RuleContext } from './rule.js';
import { range } from './tensors.js';

/** The axes that a Reduce operator reduces, counted from the front. */
export function keptAxes(c: RuleContext): readonly number[] {
  const rank = c.dims(c.inputs[0]).length;
  const given = c.integers(1) ?? c.ints('axes');
  if (given !== undefined && given.length > 0) return given.map((axis) => (axis < 0 ? axis + rank : axis));
  return c.int('noop_with_empty_axes', 0) === 1 ? [] : range(rank);
}

/** A reduced tensor with the reduced axes as 1, whether or not the operator kept them. */
export const unreduced = (c: RuleContext, tensor: string, axes: readonly number[]): string =>
  c.int('keepdims', 1) === 1 || axes.length === 0
    ? tensor
    : c.emit('Unsqueeze', [tensor, c.builder.i64(axes)]);
