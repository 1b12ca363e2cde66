/** ONNX Runtime as the other witness: graphs of our own making run in it, with the same inputs. */
import { modelOf, writeModel, type Graph, type TensorData } from '@facet/onnx';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { TF, TfTensor } from './tf.js';

export interface Fed {
  readonly dims: readonly number[];
  readonly data: Float32Array | BigInt64Array;
}

export async function sessionOf(graph: Graph, opset = 18): Promise<InferenceSession> {
  const bytes = writeModel({ ...modelOf(graph), opset });
  return await InferenceSession.create(bytes, { logSeverityLevel: 3 });
}

export async function runSession(
  session: InferenceSession,
  feeds: Readonly<Record<string, Fed>>,
): Promise<Record<string, Fed>> {
  const given = Object.entries(feeds).map(([name, { dims, data }]) => [
    name,
    data instanceof Float32Array ? new Tensor('float32', data, dims) : new Tensor('int64', data, dims),
  ]);
  const results = await session.run(Object.fromEntries(given) as Record<string, Tensor>);
  return Object.fromEntries(
    Object.entries(results).map(([name, { dims, data }]) => [
      name,
      { dims, data: Float32Array.from(data as TensorData as Float32Array, Number) },
    ]),
  );
}

export const toTf = (tf: TF, { dims, data }: Fed): TfTensor =>
  data instanceof Float32Array
    ? tf.tensor(data, [...dims], 'float32')
    : tf.tensor(Int32Array.from(data, Number), [...dims], 'int32');

/** The largest absolute difference of two arrays of one length; NaN where they differ in a NaN. */
export const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let largest = a.length === b.length ? 0 : NaN;
  for (let i = 0; i < a.length; i++) {
    largest = Math.max(largest, a[i] === b[i] ? 0 : Math.abs(a[i] - b[i]));
  }
  return largest;
};

/** Distinct multiples of `step` in a seeded order, at least half a step away from 0: no ties and no kinks. */
export function distinct(count: number, seed: number, step = 0.03): Float32Array {
  const values = Float32Array.from({ length: count }, (_, i) => (i - count / 2 + 0.37) * step);
  let state = seed * 2654435761 + 1;
  for (let i = count - 1; i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const j = Math.floor((state / 2 ** 32) * (i + 1));
    [values[i], values[j]] = [values[j], values[i]];
  }
  return values;
}

/** Euclidean distance of two arrays over the length of the second. */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [distance, length] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    distance += (a[i] - b[i]) ** 2;
    length += b[i] ** 2;
  }
  return Math.sqrt(distance / length);
}

/** Cosine of the angle between two arrays. */
export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [dot, left, right] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    dot += a[i] * b[i];
    left += a[i] ** 2;
    right += b[i] ** 2;
  }
  return dot / Math.sqrt(left * right);
}
