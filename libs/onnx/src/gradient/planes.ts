/**
 * Maps that came about as four planes, one for each parity of row and column. Putting them together costs as much as
 * a pool; a strided convolution's gradient is a sum over windows, which it can as well take plane by plane. So the
 * builder's user is told what a tensor was made of, and where the planes serve, the whole tensor is never computed.
 */
import type { GraphBuilder } from '../builder.js';

/** Of even and odd rows, and of each the even and odd columns; all [N, C, H/2, W/2]. */
export type Planes = readonly (readonly string[])[];

const KNOWN = new WeakMap<GraphBuilder, Map<string, Planes>>();

/** Even and odd elements along `axis` of [N, C, H, W] taken in turns. */
function inTurns(b: GraphBuilder, tensors: readonly string[], axis: number): string {
  const apart = tensors.map((tensor) => b.node('Unsqueeze', [tensor, b.i64([axis + 1])]));
  return b.node('Concat', apart, { axis: axis + 1 });
}

/** The maps [N, channels, height, width] that the planes are of. */
export function whole(
  b: GraphBuilder,
  planes: Planes,
  channels: number,
  [height, width]: readonly number[],
): string {
  // [N, C, H/2, W/2, 2] twice; rows of whole length are then taken in turns as well.
  const rows = planes.map((columns) =>
    b.node('Reshape', [inTurns(b, columns, 3), b.i64([0, channels, height / 2, 1, width])]),
  );
  const maps = b.node('Reshape', [b.node('Concat', rows, { axis: 3 }), b.i64([0, channels, height, width])]);
  const known = KNOWN.get(b) ?? new Map<string, Planes>();
  KNOWN.set(b, known.set(maps, planes));
  return maps;
}

/** The planes that a tensor was made of by {@link whole}. */
export const planesOf = (b: GraphBuilder, tensor: string): Planes | undefined => KNOWN.get(b)?.get(tensor);
