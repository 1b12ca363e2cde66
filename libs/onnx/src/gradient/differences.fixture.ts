/**
 * Checks gradient rules against central differences. A graph of one or a few nodes is run forward by ONNX Runtime
 * in float64 where its kernels exist, else in float32, at the batch that the inputs have, while the gradient was
 * appended without knowing the batch.
 */
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { GraphBuilder, modelOf, tensorF32 } from '../builder.js';
import { writeModel } from '../file/index.js';
import type { Dim, Graph, Model, Tensor } from '../graph.js';
import { inferShapes } from '../shapes/index.js';
import { appendGradients } from './gradients.js';

export interface Value {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

/** Runs a model; float32 in and out, int64 where the data are integers. */
export async function run(
  model: Model,
  feeds: Readonly<Record<string, Value | { dims: readonly number[]; data: BigInt64Array }>>,
): Promise<Record<string, Value>> {
  const session = await InferenceSession.create(writeModel(model), { logSeverityLevel: 3 });
  try {
    const results = await session.run(
      Object.fromEntries(
        Object.entries(feeds).map(([name, { dims, data }]) => [
          name,
          data instanceof BigInt64Array
            ? new OrtTensor('int64', data, dims)
            : new OrtTensor('float32', data, dims),
        ]),
      ),
    );
    return Object.fromEntries(
      Object.entries(results).map(([name, { dims, data }]) => [
        name,
        { dims, data: Float32Array.from(data as Float32Array) },
      ]),
    );
  } finally {
    await session.release();
  }
}

/** Numbers in [-1, 1] that repeat with the seed. */
export function noise(length: number, seed: number): Float32Array {
  let state = (seed * 2654435761 + 1) >>> 0;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 31 - 1) * 0.999;
  });
}

export interface Case {
  /** Dims by input; those named in `fixed` do not have the batch in front. */
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  readonly fixed?: readonly string[];
  readonly constants?: Readonly<Record<string, Tensor>>;
  /** Appends the nodes and returns the tensors whose weighted sum is differentiated. */
  readonly build: (b: GraphBuilder) => string | readonly string[];
  /** Input values from noise in [-1, 1]; the identity unless given. */
  readonly map?: (value: number, name: string) => number;
  /** Step of the differences; larger is more exact where the operator is linear. */
  readonly step?: number;
  readonly opset?: number;
}

const size = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);

/** The same graph in float64. */
function doubled(graph: Graph): Graph {
  const wide = (tensor: Tensor): Tensor =>
    tensor.type === 'float32'
      ? { ...tensor, type: 'float64', data: Float64Array.from(tensor.data as Float32Array) }
      : tensor;
  return {
    ...graph,
    inputs: graph.inputs.map((v) => (v.type === 'float32' ? { ...v, type: 'float64' } : v)),
    outputs: graph.outputs.map((v) => ({ ...v, type: 'float64' })),
    initializers: new Map([...graph.initializers].map(([name, t]) => [name, wide(t)])),
  };
}

/** The forward function in the widest type that the runtime has kernels for. */
async function forward(graph: Graph, opset: number | undefined) {
  const model = (g: Graph): Model => ({ ...modelOf(g), ...(opset ? { opset, irVersion: 10 } : {}) });
  for (const double of [true, false]) {
    try {
      const bytes = writeModel(model(double ? doubled(graph) : graph));
      const session = await InferenceSession.create(bytes, { logSeverityLevel: 4 });
      return { session, double };
    } catch (error) {
      if (!double) throw error;
    }
  }
  throw new Error('unreachable');
}

/** The largest error of the gradient of sum(weights * outputs), relative to its largest element. */
export async function gradientError(given: Case): Promise<number> {
  const b = new GraphBuilder();
  const names = Object.keys(given.inputs);
  const isFixed = (name: string): boolean => given.fixed?.includes(name) ?? false;
  const dimsOf = (name: string): (number | string)[] =>
    given.inputs[name].map((dim, i) => (i === 0 && !isFixed(name) ? 'N' : dim));
  for (const name of names) b.input(name, 'float32', dimsOf(name));
  for (const [name, tensor] of Object.entries(given.constants ?? {})) b.initializer(name, tensor);
  const built = given.build(b);
  const outputs = typeof built === 'string' ? [built] : built;
  const bare = b.build('case');
  const symbolic = new Map(
    names.map((name) => [
      name,
      given.inputs[name].map((dim, i): Dim => (i === 0 && !isFixed(name) ? { perSample: 1 } : dim)),
    ]),
  );
  const shapes = inferShapes(bare, symbolic);
  const batch = given.inputs[names.find((name) => !isFixed(name)) ?? '']?.[0] ?? 1;
  const concrete = (tensor: string): number[] =>
    shapes.get(tensor)!.dims.map((dim) => (typeof dim === 'number' ? dim : dim.perSample * batch));
  const plain = new GraphBuilder(bare);
  const opens = (tensor: string): (number | string)[] =>
    shapes.get(tensor)!.dims.map((dim, i) => (typeof dim === 'number' ? dim : `${tensor}_${i}`));
  for (const output of outputs) plain.output(output, 'float32', opens(output));

  const values = Object.fromEntries(
    names.map((name, i) => {
      const data = noise(size(given.inputs[name]), 7 + i);
      return [name, given.map ? data.map((v) => given.map!(v, name)) : data];
    }),
  );
  const weights = outputs.map((output, i) => noise(size(concrete(output)), 101 + i));

  // The gradient, with the weights as seeds.
  const full = new GraphBuilder(bare);
  const seeds = new Map(
    outputs.map((output, i) => [output, full.input(`seed${i}`, 'float32', opens(output))]),
  );
  const gradients = appendGradients(full, bare, shapes, seeds, names);
  for (const name of names) full.output(gradients.get(name)!, 'float32', dimsOf(name), `d_${name}`);
  const model = {
    ...modelOf(full.build('gradient')),
    ...(given.opset ? { opset: given.opset, irVersion: 10 } : {}),
  };
  const results = await run(model, {
    ...Object.fromEntries(names.map((name) => [name, { dims: given.inputs[name], data: values[name] }])),
    ...Object.fromEntries(
      outputs.map((output, i) => [`seed${i}`, { dims: concrete(output), data: weights[i] }]),
    ),
  });

  const { session, double } = await forward(plain.build('forward'), given.opset);
  const step = given.step ?? (double ? 1e-4 : 2e-2);
  const loss = async (feeds: Record<string, Float64Array>): Promise<number> => {
    const made = await session.run(
      Object.fromEntries(
        names.map((name) => [
          name,
          double
            ? new OrtTensor('float64', feeds[name], given.inputs[name])
            : new OrtTensor('float32', Float32Array.from(feeds[name]), given.inputs[name]),
        ]),
      ),
    );
    let sum = 0;
    outputs.forEach((output, i) => {
      const data = made[output].data as Float64Array;
      for (let at = 0; at < data.length; at++) sum += data[at] * weights[i][at];
    });
    return sum;
  };
  let largest = 0;
  let scale = 1e-3;
  try {
    for (const name of names) {
      const feeds = Object.fromEntries(names.map((n) => [n, Float64Array.from(values[n])]));
      const { dims, data } = results[`d_${name}`];
      if (dims.join() !== given.inputs[name].join()) throw new Error(`d_${name} is [${dims.join()}]`);
      for (let at = 0; at < data.length; at++) {
        const centre = feeds[name][at];
        const shifted = async (by: number): Promise<number> => {
          feeds[name][at] = centre + by * step;
          return loss(feeds);
        };
        // Five points: the error is of fourth order in the step.
        const near = (await shifted(1)) - (await shifted(-1));
        const far = (await shifted(2)) - (await shifted(-2));
        feeds[name][at] = centre;
        const expected = (8 * near - far) / (12 * step);
        scale = Math.max(scale, Math.abs(expected));
        largest = Math.max(largest, Math.abs(expected - data[at]));
      }
    }
  } finally {
    await session.release();
  }
  return largest / scale;
}

/** Weights for a test, seeded by their shape. */
export const weight = (...dims: number[]): Tensor =>
  tensorF32(dims, noise(size(dims), size(dims) + dims.length));
