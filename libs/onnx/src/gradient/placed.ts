/**
 * Gradients of parts. Where a tensor is cut into parts (queries, keys and values, the two pieces of a roll), each
 * part's gradient is the whole tensor's with zeros around it, and their sum is the parts one behind the other. So it
 * is noted which part stands where, and parts that tile a tensor are joined instead of padded and summed.
 */
import type { GraphBuilder } from '../builder.js';
import type { Dim } from '../graph.js';
import { addAll, pad } from './tensors.js';

interface Placed {
  readonly part: string;
  readonly axis: number;
  readonly start: number;
  readonly end: number;
  readonly size: number;
}

const KNOWN = new WeakMap<GraphBuilder, Map<string, Placed>>();

/** `part` of a tensor with `begin` and `end` elements more in front of and behind it on each axis: zeros there. */
export function placed(
  b: GraphBuilder,
  part: string,
  dims: readonly Dim[],
  begin: readonly number[],
  end: readonly number[],
): string {
  const whole = pad(b, part, begin, end);
  const axes = [...dims.keys()].filter((axis) => begin[axis] !== 0 || end[axis] !== 0);
  const [axis] = axes;
  const size = dims[axis];
  if (axes.length !== 1 || typeof size !== 'number' || begin[axis] < 0 || end[axis] < 0) return whole;
  const known = KNOWN.get(b) ?? new Map<string, Placed>();
  KNOWN.set(b, known.set(whole, { part, axis, start: begin[axis], end: size - end[axis], size }));
  return whole;
}

/** The sum of tensors of one shape. */
export function summed(b: GraphBuilder, tensors: readonly string[]): string {
  const parts = tensors.flatMap((tensor) => KNOWN.get(b)?.get(tensor) ?? []);
  if (tensors.length === 1 || parts.length < tensors.length) return addAll(b, tensors);
  const [{ axis, size }] = parts;
  const inOrder = parts.toSorted((left, right) => left.start - right.start);
  const tile = inOrder.every((p, i) => p.axis === axis && p.start === (i === 0 ? 0 : inOrder[i - 1].end));
  if (!tile || inOrder[inOrder.length - 1].end !== size) return addAll(b, tensors);
  return b.node(
    'Concat',
    inOrder.map((p) => p.part),
    { axis },
  );
}
