/** What running a graph takes of memory, as far as its shapes say: known before any runtime has seen it. */
import { ModelError } from '../errors.js';
import type { ElementType, Graph, Model, Shapes } from '../graph.js';
import { elementsAt } from '../shapes/dims.js';
import { inferShapes } from '../shapes/infer.js';

/** Strings count as the pointers that stand for them. */
const BYTES: Readonly<Record<ElementType, number>> = {
  float32: 4,
  float64: 8,
  float16: 2,
  bfloat16: 2,
  int8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  uint8: 1,
  uint16: 2,
  uint32: 4,
  uint64: 8,
  bool: 1,
  string: 8,
};

/** Bytes of all initializers. */
export function weightBytes({ initializers }: Graph): number {
  let bytes = 0;
  for (const { data } of initializers.values()) bytes += data.byteLength;
  return bytes;
}

/**
 * The most bytes that inputs and computed tensors take at once when the nodes run in order, each tensor from the node
 * that computes it to the last that reads it. Weights, a kernel's own scratch and the runtime's rounding up come on top;
 * tensors computed in place come off.
 */
export function peakBytes(graph: Graph, shapes: Shapes, batch: number): number {
  const lastReader = new Map<string, number>();
  graph.nodes.forEach(({ inputs }, index) => {
    for (const name of inputs) lastReader.set(name, index);
  });
  for (const { name } of graph.outputs) lastReader.set(name, Infinity);
  const bytesOf = (name: string): number => {
    const info = name === '' ? undefined : shapes.get(name);
    return info === undefined ? 0 : elementsAt(info.dims, batch) * BYTES[info.type];
  };
  let held = graph.inputs.reduce((sum, { name }) => sum + bytesOf(name), 0);
  let peak = held;
  graph.nodes.forEach(({ inputs, outputs }, index) => {
    for (const name of outputs) held += bytesOf(name);
    peak = Math.max(peak, held);
    const freed = new Set([...inputs, ...outputs]);
    for (const name of freed)
      if ((lastReader.get(name) ?? index) === index && !graph.initializers.has(name)) held -= bytesOf(name);
  });
  return peak;
}

export interface MemoryNeed {
  readonly weights: number;
  /** {@link peakBytes} at a batch of N is at most `fixed + N * perSample`, for N up to {@link LARGEST_BATCH}. */
  readonly fixed: number;
  readonly perSample: number;
}

/** The line through both ends lies above the peak in between, which is the largest of straight lines. */
export const LARGEST_BATCH = 4096;

/**
 * What a compiled graph needs, whose inputs name the batch axis and nothing else.
 *
 * @throws ModelError as {@link inferShapes} does
 */
export function memoryNeed({ graph }: Model): MemoryNeed {
  const open = graph.inputs.map(
    ({ name, dims }) =>
      [name, dims.map((dim) => (typeof dim === 'number' ? dim : { perSample: 1 }))] as const,
  );
  const shapes = inferShapes(graph, new Map(open));
  const [one, most] = [1, LARGEST_BATCH].map((batch) => peakBytes(graph, shapes, batch));
  if (!Number.isFinite(most)) throw new ModelError('limit', 'needs more memory than can be counted', 'graph');
  const perSample = (most - one) / (LARGEST_BATCH - 1);
  return { weights: weightBytes(graph), fixed: one - perSample, perSample };
}
