/**
 * A training step in float64, computed in another way than the compiled one: loops over every index forwards, and
 * central differences of the loss instead of gradient rules.
 */
import type { Graph, Node } from '../graph.js';
import type { LossSpec, TrainingSpec } from './spec.js';

export interface Wide {
  readonly dims: readonly number[];
  readonly data: Float64Array;
}

export type Values = Readonly<Record<string, Wide>>;

const size = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);

/** A tensor of those dims from a function of its indices. */
function fill(dims: readonly number[], value: (...at: number[]) => number): Wide {
  const data = new Float64Array(size(dims));
  const at = dims.map(() => 0);
  for (let i = 0; i < data.length; i++) {
    data[i] = value(...at);
    for (let axis = dims.length - 1; axis >= 0 && ++at[axis] === dims[axis]; axis--) at[axis] = 0;
  }
  return { dims, data };
}

/** The element at those indices, 0 outside. */
function get({ dims, data }: Wide, ...at: number[]): number {
  let index = 0;
  for (let axis = 0; axis < dims.length; axis++) {
    if (at[axis] < 0 || at[axis] >= dims[axis]) return 0;
    index = index * dims[axis] + at[axis];
  }
  return data[index];
}

const map = (x: Wide, f: (value: number) => number): Wide => ({ dims: x.dims, data: x.data.map(f) });

const ints = (node: Node, name: string, fallback: number[]): number[] => {
  const value = node.attributes[name];
  return value?.kind === 'ints' ? value.value.map(Number) : fallback;
};
const number = (node: Node, name: string, fallback: number): number => {
  const value = node.attributes[name];
  return value?.kind === 'int' || value?.kind === 'float' ? Number(value.value) : fallback;
};

type Operator = (node: Node, inputs: readonly Wide[]) => Wide;

const conv: Operator = (node, [x, w, bias]) => {
  const group = number(node, 'group', 1);
  const [sy, sx] = ints(node, 'strides', [1, 1]);
  const [dy, dx] = ints(node, 'dilations', [1, 1]);
  const [top, left, bottom, right] = ints(node, 'pads', [0, 0, 0, 0]);
  const [outChannels, depth, kh, kw] = w.dims;
  const height = Math.floor((x.dims[2] + top + bottom - (kh - 1) * dy - 1) / sy) + 1;
  const width = Math.floor((x.dims[3] + left + right - (kw - 1) * dx - 1) / sx) + 1;
  return fill([x.dims[0], outChannels, height, width], (n, o, y, z) => {
    const first = Math.floor(o / (outChannels / group)) * depth;
    let sum = bias ? bias.data[o] : 0;
    for (let i = 0; i < depth; i++)
      for (let ky = 0; ky < kh; ky++)
        for (let kx = 0; kx < kw; kx++)
          sum += get(x, n, first + i, y * sy + ky * dy - top, z * sx + kx * dx - left) * get(w, o, i, ky, kx);
    return sum;
  });
};

const maxPool: Operator = (node, [x]) => {
  const [kh, kw] = ints(node, 'kernel_shape', [1, 1]);
  const [sy, sx] = ints(node, 'strides', [1, 1]);
  const count = (n: number, k: number, s: number): number => Math.floor((n - k) / s) + 1;
  return fill([x.dims[0], x.dims[1], count(x.dims[2], kh, sy), count(x.dims[3], kw, sx)], (n, c, y, z) => {
    let most = -Infinity;
    for (let i = 0; i < kh * kw; i++)
      most = Math.max(most, get(x, n, c, y * sy + Math.floor(i / kw), z * sx + (i % kw)));
    return most;
  });
};

interface Statistics {
  readonly mean: readonly number[];
  readonly variance: readonly number[];
}

/** Mean and biased variance per channel. */
export function momentsOf(x: Wide): { mean: number[]; variance: number[]; count: number } {
  const [n, channels, h, w] = x.dims;
  const mean = new Array<number>(channels).fill(0);
  const variance = new Array<number>(channels).fill(0);
  const count = n * h * w;
  const channelOf = (i: number): number => Math.floor(i / (h * w)) % channels;
  x.data.forEach((v, i) => (mean[channelOf(i)] += v / count));
  x.data.forEach((v, i) => (variance[channelOf(i)] += (v - mean[channelOf(i)]) ** 2 / count));
  return { mean, variance, count };
}

const normalised = (node: Node, [x, scale, bias]: readonly Wide[], { mean, variance }: Statistics): Wide => {
  const epsilon = number(node, 'epsilon', 1e-5);
  return fill(
    x.dims,
    (n, c, y, z) =>
      ((get(x, n, c, y, z) - mean[c]) / Math.sqrt(variance[c] + epsilon)) * scale.data[c] + bias.data[c],
  );
};

const batchNormalization: Operator = (node, inputs) => normalised(node, inputs, momentsOf(inputs[0]));

/** With the running moments. */
const frozenNormalization: Operator = (node, inputs) =>
  normalised(node, inputs, { mean: [...inputs[3].data], variance: [...inputs[4].data] });

const gemm: Operator = (node, [a, b, bias]) => {
  const turned = number(node, 'transB', 0) === 1;
  const [outer, inner] = turned ? b.dims : [b.dims[1], b.dims[0]];
  return fill([a.dims[0], outer], (n, o) => {
    let sum = bias ? bias.data[o] : 0;
    for (let i = 0; i < inner; i++) sum += get(a, n, i) * (turned ? get(b, o, i) : get(b, i, o));
    return sum;
  });
};

const OPERATORS: Readonly<Record<string, Operator>> = {
  Conv: conv,
  MaxPool: maxPool,
  BatchNormalization: batchNormalization,
  Gemm: gemm,
  MatMul: gemm,
  Relu: (_, [x]) => map(x, (v) => Math.max(v, 0)),
  Sigmoid: (_, [x]) => map(x, (v) => 1 / (1 + Math.exp(-v))),
  Flatten: (_, [x]) => ({ dims: [x.dims[0], size(x.dims.slice(1))], data: x.data }),
  Add: (_, [a, b]) => ({ dims: a.dims, data: a.data.map((v, i) => v + b.data[i % b.data.length]) }),
  GlobalAveragePool: (_, [x]) =>
    fill([x.dims[0], x.dims[1], 1, 1], (n, c) => {
      let sum = 0;
      for (let y = 0; y < x.dims[2]; y++) for (let z = 0; z < x.dims[3]; z++) sum += get(x, n, c, y, z);
      return sum / (x.dims[2] * x.dims[3]);
    }),
};

/** Every tensor of the graph, with the batch's statistics unless they are frozen. */
export function forward(graph: Graph, values: Values, frozen = false): Record<string, Wide> {
  const all: Record<string, Wide> = { ...values };
  const operators = frozen ? { ...OPERATORS, BatchNormalization: frozenNormalization } : OPERATORS;
  const fixed = (name: string): Wide => {
    const { dims, data } = graph.initializers.get(name)!;
    return { dims, data: Float64Array.from(data as Float32Array) };
  };
  for (const node of graph.nodes)
    all[node.outputs[0]] = operators[node.op](
      node,
      node.inputs.map((name) => all[name] ?? fixed(name)),
    );
  return all;
}

const softmax = (logits: Float64Array): Float64Array => {
  const all = logits.map(Math.exp);
  const sum = all.reduce((a, b) => a + b, 0);
  return all.map((e) => e / sum);
};

/** Loss of one sample, straight from its definition. */
function sampleLoss(
  { kind, live = [] }: LossSpec,
  output: Float64Array,
  target: Float64Array,
  row: (i: number) => Float64Array,
): number {
  if (kind === 'group-cross-entropy') {
    const alive = softmax(output).reduce((sum, p, k) => sum + (live.includes(k) ? p : 0), 0);
    return -Math.log(target[0] === 0 ? alive : 1 - alive);
  }
  if (kind === 'consistency') {
    const [own, partner] = [softmax(output), softmax(row(target[0]))];
    return partner.reduce((sum, p, k) => sum + p * Math.log(p / own[k]), 0);
  }
  if (kind === 'cross-entropy') {
    const sum = output.reduce((total, z) => total + Math.exp(z), 0);
    return Math.log(sum) - output[target[0]];
  }
  const each = output.map((z, i) => {
    if (kind === 'mean-squared-error') return (z - target[i]) ** 2;
    const p = 1 / (1 + Math.exp(-z));
    return -(target[i] * Math.log(p) + (1 - target[i]) * Math.log(1 - p));
  });
  return each.reduce((a, b) => a + b, 0) / each.length;
}

export function lossesOf(graph: Graph, spec: TrainingSpec, values: Values): number[] {
  const all = forward(graph, values, spec.batchNorm === 'frozen');
  return spec.losses.map((loss) => {
    const [output, target, mask] = [all[loss.output], values[loss.target], values[loss.mask]];
    const n = output.dims[0];
    const part = (x: Wide, i: number): Float64Array =>
      x.data.subarray((i * x.data.length) / n, ((i + 1) * x.data.length) / n);
    let [sum, count] = [0, 0];
    for (let i = 0; i < n; i++) {
      if (mask.data[i] === 0) continue;
      sum += sampleLoss(loss, part(output, i), part(target, i), (row) => part(output, row));
      count++;
    }
    return count === 0 ? 0 : sum / count;
  });
}

/** Derivatives of the weighted sum of losses by the elements `at` of the tensor `name`, by central differences. */
export function differences(
  graph: Graph,
  spec: TrainingSpec,
  values: Values,
  name: string,
  at: readonly number[],
): number[] {
  const step = 1e-5;
  const { dims, data } = values[name];
  const total = (i: number, by: number): number =>
    lossesOf(graph, spec, { ...values, [name]: { dims, data: data.with(i, data[i] + by) } }).reduce(
      (sum, loss, l) => sum + spec.losses[l].weight * loss,
      0,
    );
  return at.map((i) => (total(i, step) - total(i, -step)) / (2 * step));
}
