/** Small models by hand, and ONNX Runtime as the judge of what they compute. */
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { GraphBuilder, type AttributeInput } from '../builder.js';
import type { Model, ValueInfo } from '../graph.js';
import { writeModel } from './write.js';

/** Reproducible numbers in [-2, 2). */
export function noise(count: number, seed = 1): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 30 - 2;
  });
}

export interface NodeInput {
  readonly op: string;
  readonly inputs?: readonly string[];
  readonly attributes?: Readonly<Record<string, AttributeInput>>;
  readonly outputs?: readonly string[];
}

/** A model of nodes that start at the input 'x'; what the last of them computes is the output 'y'. */
export function modelOfNodes(
  opset: number,
  dims: readonly (number | string)[],
  nodes: readonly NodeInput[],
  extend: (builder: GraphBuilder) => void = () => undefined,
  output: Partial<ValueInfo> = {},
): Model {
  const builder = new GraphBuilder();
  builder.input('x', 'float32', dims);
  extend(builder);
  for (const { op, inputs = ['x'], attributes = {}, outputs = ['y'] } of nodes)
    builder.nodes(op, inputs, attributes, outputs);
  builder.output(output.name ?? 'y', output.type ?? 'float32', output.dims ?? []);
  return {
    irVersion: opset < 9 ? 4 : 8,
    opset,
    domains: new Map(),
    producer: 'test',
    metadata: new Map(),
    graph: builder.build('test'),
  };
}

/** The first output of a model or file for a float input, flat. */
export async function run(model: Model | Uint8Array, dims: readonly number[], seed = 1): Promise<number[]> {
  const bytes = model instanceof Uint8Array ? model : writeModel(model);
  const session = await InferenceSession.create(bytes, {
    logSeverityLevel: 4,
    intraOpNumThreads: 1,
  });
  try {
    const count = dims.reduce((total, dim) => total * dim, 1);
    const feed = new OrtTensor('float32', noise(count, seed), dims);
    const results = await session.run({ [session.inputNames[0]]: feed });
    return Array.from(results[session.outputNames[0]].data as ArrayLike<number | bigint>, Number);
  } finally {
    await session.release();
  }
}
