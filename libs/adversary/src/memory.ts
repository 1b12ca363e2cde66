/**
 * Memory for images, gradients and weights, used again and again. V8 marks the whole heap, on threads beside the one that
 * computes, whenever 64 MB of buffers were made, whatever has become of them; and a search or a training needs some at every
 * step.
 */

/** More than a search and its oracle hold at once. */
const KEPT = 16;
/** Larger ones are not kept: marking is little beside what is computed of them, and memory is not. */
const LARGEST_BYTES = 2 ** 24;

/** What was given back, the smallest first. */
const free: Float32Array<ArrayBuffer>[] = [];

/** Room for so many numbers, which hold anything. */
export function borrow(length: number): Float32Array<ArrayBuffer> {
  const at = free.findIndex((data) => data.length >= length);
  return at < 0 ? new Float32Array(length) : free.splice(at, 1)[0].subarray(0, length);
}

/** Nobody looks at what was borrowed any more. What is never given back, or too large, is garbage as any other array. */
export function giveBack({ buffer }: Float32Array): void {
  if (buffer.byteLength > LARGEST_BYTES) return;
  const data = new Float32Array(buffer as ArrayBuffer);
  const larger = free.findIndex(({ length }) => length >= data.length);
  free.splice(larger < 0 ? free.length : larger, 0, data);
  if (free.length > KEPT) free.shift();
}
