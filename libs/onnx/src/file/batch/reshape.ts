/** Reshapes to constant sizes: where the batch stands among them, and how it is left open. */
import type { Dim, Tensor } from '../../graph.js';
import { isFixed } from '../../shapes/dims.js';

const sizeOf = (dims: readonly number[]): number => dims.reduce((total, dim) => total * dim, 1);

/** The axis that grows with the batch; -1 if none does. */
export const batchAxis = (dims: readonly Dim[]): number => dims.findIndex((dim) => !isFixed(dim));

/** Elements before the axis that grows with the batch; undefined if none does. */
export function before(dims: readonly Dim[]): number | undefined {
  const axis = batchAxis(dims);
  return axis < 0 ? undefined : sizeOf(dims.slice(0, axis) as number[]);
}

/**
 * A constant target of a Reshape with the batch left open: in row-major order a sample's elements stay together
 * exactly if as many elements stand before the batch as did in the input.
 *
 * @param target the constant.
 * @param output the sizes it stands for at a batch of `batch`.
 * @returns undefined where no axis can hold the batch.
 */
export function openTarget(
  target: Tensor,
  input: readonly Dim[],
  output: readonly number[],
  batch: number,
): Tensor | undefined {
  const leading = before(input);
  const fits = (axis: number): boolean =>
    sizeOf(output.slice(0, axis)) === leading && output[axis] % batch === 0;
  const axes = [batchAxis(input), ...output.keys()].filter((axis) => axis < output.length);
  const open = axes.find(fits);
  if (open === undefined) return undefined;
  const sizes = output.map((size, axis) => BigInt(axis === open ? -1 : size));
  return { ...target, data: BigInt64Array.from(sizes) };
}
