/**
 * Arithmetic of sizes that are known up to the batch size N. A size is a number or k x N with N >= 1 unknown;
 * what would need N squared, or a sum of both kinds, has no answer here and comes back as undefined.
 */
import type { Dim } from '../graph.js';

/** k x N as a size; none at all is a plain 0. */
export const perSample = (k: number): Dim => (k === 0 ? 0 : { perSample: k });

export const isFixed = (dim: Dim): dim is number => typeof dim === 'number';

/** The size at a batch of `batch`. */
export const dimAt = (dim: Dim, batch: number): number => (isFixed(dim) ? dim : dim.perSample * batch);

export const dimsAt = (dims: readonly Dim[], batch: number): number[] => dims.map((dim) => dimAt(dim, batch));

/** Elements of a tensor at a batch of `batch`. */
export const elementsAt = (dims: readonly Dim[], batch = 1): number =>
  dims.reduce<number>((total, dim) => total * dimAt(dim, batch), 1);

export const sameDim = (a: Dim, b: Dim): boolean =>
  isFixed(a) ? a === b : !isFixed(b) && a.perSample === b.perSample;

export const sameDims = (a: readonly Dim[], b: readonly Dim[]): boolean =>
  a.length === b.length && a.every((dim, i) => sameDim(dim, b[i]));

export const dimText = (dim: Dim): string =>
  isFixed(dim) ? String(dim) : dim.perSample === 1 ? 'N' : `${dim.perSample}N`;

export const dimsText = (dims: readonly Dim[]): string => `[${dims.map(dimText).join(',')}]`;

export function times(a: Dim, b: Dim): Dim | undefined {
  if (isFixed(a)) return isFixed(b) ? a * b : perSample(a * b.perSample);
  return isFixed(b) ? perSample(a.perSample * b) : undefined;
}

export function plus(a: Dim, b: Dim): Dim | undefined {
  if (a === 0) return b;
  if (b === 0) return a;
  if (isFixed(a)) return isFixed(b) ? a + b : undefined;
  return isFixed(b) ? undefined : perSample(a.perSample + b.perSample);
}

/** a / b where that is a size at every N. */
export function dividedBy(a: Dim, b: Dim): Dim | undefined {
  const quotient = isFixed(a)
    ? isFixed(b)
      ? a / b
      : a === 0
        ? 0
        : Number.NaN
    : a.perSample / (isFixed(b) ? b : b.perSample);
  if (!Number.isInteger(quotient)) return undefined;
  return isFixed(a) || !isFixed(b) ? quotient : perSample(quotient);
}

export const product = (dims: readonly Dim[]): Dim | undefined =>
  dims.reduce<Dim | undefined>((total, dim) => (total === undefined ? undefined : times(total, dim)), 1);

/** NumPy's rule, right-aligned; undefined where two sizes contradict each other. */
export function broadcast(shapes: readonly (readonly Dim[])[]): Dim[] | undefined {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  const result: Dim[] = new Array<Dim>(rank).fill(1);
  for (const shape of shapes) {
    for (let i = 0; i < shape.length; i++) {
      const at = rank - shape.length + i;
      if (shape[i] === 1) continue;
      if (result[at] === 1) result[at] = shape[i];
      else if (!sameDim(result[at], shape[i])) return undefined;
    }
  }
  return result;
}
