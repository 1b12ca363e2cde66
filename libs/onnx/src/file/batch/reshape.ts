/**
 * Where the batch stands in a tensor, followed through Reshapes. In row-major order a sample's elements keep
 * their places relative to each other exactly if as many elements stand before the batch after a Reshape as
 * before it; some of them may then share the batch's axis, as in attention, where L x N rows become one axis.
 */
import type { Dim, Tensor } from '../../graph.js';
import { isFixed } from '../../shapes/dims.js';

const sizeOf = (dims: readonly number[]): number => dims.reduce((total, dim) => total * dim, 1);

/** The axis that grows with the batch; -1 if none does. */
export const batchAxis = (dims: readonly Dim[]): number => dims.findIndex((dim) => !isFixed(dim));

/** Elements before the batch, those included that share its axis (`outer`). */
export const before = (dims: readonly Dim[], outer: number): number =>
  outer * sizeOf(dims.slice(0, batchAxis(dims)) as number[]);

/** What shares the batch's axis after a Reshape; undefined where samples would be torn apart. */
export function outerAfter(output: readonly Dim[], elementsBefore: number): number | undefined {
  const dim = output[batchAxis(output)];
  const outer = elementsBefore / before(output, 1);
  return isFixed(dim) || !Number.isInteger(outer) || dim.perSample % outer !== 0 ? undefined : outer;
}

/**
 * A constant target of a Reshape with the batch left open on one axis. At a batch of 1 several could hold it,
 * and samples stay apart with any; what the exporter meant is taken to be, in this order: rows that become one
 * axis, all axes behind them as they are; the batch's own axis; rows that become one axis, whatever is behind.
 *
 * @param target the constant.
 * @param input its shape with the batch open, and what shares the batch's axis.
 * @param output the sizes it stands for at a batch of `batch`.
 * @returns undefined where no axis can hold the batch.
 */
export function openTarget(
  target: Tensor,
  input: { readonly dims: readonly Dim[]; readonly outer: number },
  output: readonly number[],
  batch: number,
): Tensor | undefined {
  const own = batchAxis(input.dims);
  const leading = before(input.dims, input.outer);
  const behind = input.dims.slice(own + 1) as readonly number[];
  const last = output.length - 1;
  const candidates = [...output.keys()].filter((axis) => {
    const outer = leading / sizeOf(output.slice(0, axis));
    return Number.isInteger(outer) && output[axis] % (outer * batch) === 0;
  });
  const swallowsRest = (axis: number): boolean => axis === last && axis > 0 && output[axis] > batch;
  const preferred = [
    (axis: number) => leading > 1 && output.slice(axis + 1).join() === behind.join(),
    (axis: number) => axis === own && !swallowsRest(axis),
    (axis: number) => sizeOf(output.slice(axis + 1)) === sizeOf(behind),
    () => true,
  ];
  const open = preferred.map((prefers) => candidates.find(prefers)).find((axis) => axis !== undefined);
  if (open === undefined) return undefined;
  const sizes = output.map((size, axis) => BigInt(axis === open ? -1 : size));
  return { ...target, dims: [sizes.length], data: BigInt64Array.from(sizes) };
}
