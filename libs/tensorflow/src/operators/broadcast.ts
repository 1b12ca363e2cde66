/**
 * Broadcasting with a right gradient. TensorFlow.js' `broadcastTo` differentiates by one slice per copy, and its
 * `maximum` and batched `matMul` forget to sum over broadcast axes; adding zeros does neither.
 */
import type { TF, TfTensor } from '../tf.js';

/** Shape of two broadcast tensors, as in NumPy. */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const left = a[a.length - rank + i] ?? 1;
    const right = b[b.length - rank + i] ?? 1;
    return left === 1 ? right : left;
  });
}

const same = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((size, i) => size === b[i]);

export function broadcastTo(tf: TF, x: TfTensor, shape: readonly number[]): TfTensor {
  if (same(x.shape, shape)) return x;
  if (x.dtype === 'bool') return tf.cast(broadcastTo(tf, tf.cast(x, 'int32'), shape), 'bool');
  return tf.add(x, tf.zeros([...shape], x.dtype as 'float32' | 'int32'));
}
