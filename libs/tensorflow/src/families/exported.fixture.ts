/**
 * Layers as PyTorch's exporter writes them (opset 16: LayerNormalization, GELU and SiLU in pieces, sizes in Reshape), with
 * weights that hide nothing: no normalisation starts as the identity, no branch is scaled to nothing. Our own networks are
 * written for our own rules; published files are not.
 */
import { float, GraphBuilder, type Model, modelOf, tensorF32, tensorI64 } from '@facet/onnx';
import { distinct } from '../onnxruntime.fixture.js';

export interface Windows {
  readonly kernel?: number;
  readonly stride?: number;
  readonly pad?: number;
  readonly groups?: number;
}

const square = (size: number): number[] => [size, size];
const all = (size: number): number[] => [size, size, size, size];

export class Exported {
  readonly b = new GraphBuilder();
  #seed = 1;

  /** Distinct numbers about `mean`, evenly spread with the given deviation. */
  weight(dims: readonly number[], deviation: number, mean = 0): string {
    const count = dims.reduce((a, b) => a * b, 1);
    const step = (Math.sqrt(12) * deviation) / count;
    const data = distinct(count, this.#seed++, step).map((value) => value + mean);
    return this.b.initializer('weight', tensorF32(dims, data));
  }

  conv(x: string, from: number, to: number, windows: Windows = {}): string {
    const { kernel = 1, stride = 1, pad = (kernel - 1) / 2, groups = 1 } = windows;
    const fanIn = (from / groups) * kernel ** 2;
    const weights = this.weight([to, from / groups, kernel, kernel], Math.sqrt(2 / fanIn));
    const attributes = {
      kernel_shape: square(kernel),
      strides: square(stride),
      pads: all(pad),
      group: groups,
    };
    return this.b.node('Conv', [x, weights, this.weight([to], 0.1)], attributes);
  }

  norm(x: string, channels: number): string {
    const parameters = [[0.3, 1], [0.2], [0.2], [0.2, 1]].map(([deviation, mean]) =>
      this.weight([channels], deviation, mean),
    );
    return this.b.node('BatchNormalization', [x, ...parameters], { epsilon: float(1e-5) });
  }

  relu(x: string): string {
    return this.b.node('Relu', [x]);
  }

  relu6(x: string): string {
    return this.b.node('Clip', [x, this.b.f32(0), this.b.f32(6)]);
  }

  silu(x: string): string {
    return this.b.node('Mul', [x, this.b.node('Sigmoid', [x])]);
  }

  gelu(x: string): string {
    const erf = this.b.node('Erf', [this.b.node('Div', [x, this.b.f32(Math.SQRT2)])]);
    const product = this.b.node('Mul', [x, this.b.node('Add', [erf, this.b.f32(1)])]);
    return this.b.node('Mul', [product, this.b.f32(0.5)]);
  }

  convNormRelu(x: string, from: number, to: number, windows: Windows = {}): string {
    return this.relu(this.norm(this.conv(x, from, to, windows), to));
  }

  pool(op: 'MaxPool' | 'AveragePool', x: string, kernel: number, stride: number, pad = 0, ceil = 0): string {
    return this.b.node(op, [x], {
      kernel_shape: square(kernel),
      strides: square(stride),
      pads: all(pad),
      ceil_mode: ceil,
    });
  }

  /** Over the last axis of `width` numbers. */
  layerNorm(x: string, width: number): string {
    const last = { axes: [-1] };
    const centred = this.b.node('Sub', [x, this.b.node('ReduceMean', [x], last)]);
    const squares = this.b.node('Pow', [centred, this.b.f32(2)]);
    const variance = this.b.node('Add', [this.b.node('ReduceMean', [squares], last), this.b.f32(1e-5)]);
    const normal = this.b.node('Div', [centred, this.b.node('Sqrt', [variance])]);
    const scaled = this.b.node('Mul', [normal, this.weight([width], 0.3, 1)]);
    return this.b.node('Add', [scaled, this.weight([width], 0.2)]);
  }

  /** Of the last axis. */
  linear(x: string, from: number, to: number): string {
    const product = this.b.node('MatMul', [x, this.weight([from, to], 1 / Math.sqrt(from))]);
    return this.b.node('Add', [this.weight([to], 0.1), product]);
  }

  reshape(x: string, dims: readonly number[]): string {
    return this.b.node('Reshape', [x, this.b.i64(dims)]);
  }

  transpose(x: string, perm: readonly number[]): string {
    return this.b.node('Transpose', [x], { perm });
  }

  slice(x: string, axis: number, from: number, to: number): string {
    return this.b.node('Slice', [x, this.b.i64([from]), this.b.i64([to]), this.b.i64([axis])]);
  }

  /** One place of an axis, which goes away. */
  at(x: string, axis: number, index: number): string {
    return this.b.node('Gather', [x, this.b.constant(tensorI64([index], []))], { axis });
  }

  /**
   * Attention with heads, of [batch, length, width].
   * @param biased of the scores [batch, heads, length, length]
   */
  attention(
    x: string,
    { length, width, heads }: { length: number; width: number; heads: number },
    biased = (scores: string): string => scores,
  ): string {
    const depth = width / heads;
    const apart = this.reshape(this.linear(x, width, 3 * width), [-1, length, 3, heads, depth]);
    const parts = this.transpose(apart, [2, 0, 3, 1, 4]);
    const [query, key, value] = [0, 1, 2].map((index) => this.at(parts, 0, index));
    const scaled = this.b.node('Mul', [query, this.b.f32(depth ** -0.5)]);
    const scores = this.b.node('MatMul', [scaled, this.transpose(key, [0, 1, 3, 2])]);
    const mixed = this.b.node('MatMul', [this.b.node('Softmax', [biased(scores)], { axis: -1 }), value]);
    return this.linear(this.reshape(this.transpose(mixed, [0, 2, 1, 3]), [-1, length, width]), width, width);
  }

  /** [N, channels, H, W] to logits [N, 3]. */
  pooledHead(x: string, channels: number): string {
    return this.head(this.b.node('Flatten', [this.b.node('GlobalAveragePool', [x])], { axis: 1 }), channels);
  }

  /** [N, features] to logits [N, 3]. */
  head(x: string, features: number): string {
    const weights = [this.weight([3, features], 1 / Math.sqrt(features)), this.weight([3], 0.1)];
    return this.b.node('Gemm', [x, ...weights], { transB: 1 });
  }

  /** Opset 16, as files have it; the newer one of our own writing knows `axes` only as an input. */
  model(name: string, side: number, body: (pixels: string) => string): Model {
    const logits = body(this.b.input('pixels', 'float32', ['N', 3, side, side]));
    this.b.output(logits, 'float32', ['N', 3], 'logits');
    return { ...modelOf(this.b.build(name)), opset: 16 };
  }
}
