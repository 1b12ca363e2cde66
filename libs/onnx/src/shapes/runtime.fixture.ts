/** Runs small graphs in ONNX Runtime, the judge of shapes, types and folded values. */
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { GraphBuilder, modelOf } from '../builder.js';
import { writeModel } from '../file/index.js';
import type { Dim, Graph, Model } from '../graph.js';
import { dimsAt } from './dims.js';
import { inferShapes } from './infer.js';
import { valueInfo } from '../graph-tools/walk.js';

export interface Result {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: ArrayLike<number | bigint>;
}

export type Inputs = ReadonlyMap<string, readonly Dim[]>;

export const N: Dim = { perSample: 1 };

/** Reproducible numbers in [-1, 1). */
export function noise(count: number, seed = 1): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

export function feedsFor(inputs: Inputs, batch: number): Record<string, OrtTensor> {
  return Object.fromEntries(
    [...inputs].map(([name, dims], index) => {
      const size = dimsAt(dims, batch);
      const count = size.reduce((total, dim) => total * dim, 1);
      return [name, new OrtTensor('float32', noise(count, index + 1), size)];
    }),
  );
}

export type Run = (feeds: Record<string, OrtTensor>) => Promise<Record<string, Result>>;

/** Loads a model, hands out how to run it, and releases it. */
export async function withSession<T>(model: Model, use: (run: Run) => Promise<T>): Promise<T> {
  const session = await InferenceSession.create(writeModel(model), {
    logSeverityLevel: 4,
    intraOpNumThreads: 1,
    graphOptimizationLevel: 'basic',
  });
  try {
    return await use(async (feeds) => {
      const results = await session.run(feeds);
      return results as unknown as Record<string, Result>;
    });
  } finally {
    await session.release();
  }
}

/** A graph of float inputs whose outputs are declared as we infer them. */
export function graphOf(
  inputs: Inputs,
  build: (b: GraphBuilder) => string | readonly string[],
): { graph: Graph; model: Model } {
  const b = new GraphBuilder();
  for (const [name, dims] of inputs)
    b.input(
      name,
      'float32',
      dims.map((d) => (typeof d === 'number' ? d : 'N')),
    );
  const outputs = [build(b)].flat();
  const bare = b.build('case');
  const shapes = inferShapes(bare, inputs);
  const graph = { ...bare, outputs: outputs.map((name) => valueInfo(name, shapes)) };
  return { graph, model: modelOf(graph) };
}
