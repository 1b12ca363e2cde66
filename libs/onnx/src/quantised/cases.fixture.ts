/** Small graphs for every form in which networks are quantised. */
import { type AttributeInput, float, GraphBuilder, scalarF32, tensorF32 } from '../builder.js';
import type { ElementType, Tensor } from '../graph.js';
import { noise } from '../shapes/runtime.fixture.js';

/** Writes quantised graphs. */
export class Writer extends GraphBuilder {
  scale(value: number | readonly number[]): string {
    return this.constant(typeof value === 'number' ? scalarF32(value) : tensorF32([value.length], value));
  }
  integers(type: ElementType, dims: readonly number[], data: ArrayLike<number>): string {
    const arrays = { int8: Int8Array, uint8: Uint8Array, int32: Int32Array };
    return this.initializer('w', { type, dims, data: arrays[type as 'int8'].from(data) });
  }
  zero(type: ElementType, value: number | readonly number[]): string {
    return typeof value === 'number'
      ? this.integers(type, [], [value])
      : this.integers(type, [value.length], value);
  }
  /** Weights of many values over the type's range. */
  weights(type: 'int8' | 'uint8', dims: readonly number[]): string {
    const count = dims.reduce((a, b) => a * b, 1);
    const from = type === 'int8' ? 0 : 128;
    return this.integers(
      type,
      dims,
      noise(count, count).map((v) => Math.trunc(v * 100 + from)),
    );
  }
  quantised(real: string, type: 'int8' | 'uint8', scale: number, zero: number): string {
    return this.node('QuantizeLinear', [real, this.scale(scale), this.zero(type, zero)]);
  }
  real(integers: string, type: 'int8' | 'uint8', scale: number, zero: number): string {
    return this.node('DequantizeLinear', [integers, this.scale(scale), this.zero(type, zero)]);
  }
  microsoft(op: string, inputs: readonly string[], attributes: Record<string, AttributeInput> = {}): string {
    return this.nodes(op, inputs, attributes, [this.fresh(op)], 'com.microsoft')[0];
  }
}

/** A graph from `x` [N, ...dims] to what `build` returns. */
export type Row = readonly [name: string, dims: readonly number[], build: (b: Writer) => string];
const S = 1 / 64;
export const IMAGE = [3, 6, 6];

export function dynamicConv(b: Writer, type: 'int8' | 'uint8', zero: number): string {
  const [x, scale, at] = b.nodes('DynamicQuantizeLinear', ['x'], {}, ['q', 's', 'z']);
  const sums = b.node('ConvInteger', [x, b.weights(type, [4, 3, 3, 3]), at, b.zero(type, zero)], {
    pads: [1, 1, 1, 1],
  });
  const scales = b.node('Mul', [scale, b.constant(tensorF32([4, 1, 1], [0.01, 0.02, 0.005, 0.03]))]);
  return b.node('Mul', [b.node('Cast', [sums], { to: 1 }), scales]);
}

/** x in uint8 with scale and zero point, then the node, whose output has its own. */
const between =
  (op: (b: Writer, x: readonly string[], out: readonly string[]) => string, scale: number, zero = 90) =>
  (b: Writer): string => {
    const x = [b.quantised('x', 'uint8', S, 120), b.scale(S), b.zero('uint8', 120)];
    return b.real(op(b, x, [b.scale(scale), b.zero('uint8', zero)]), 'uint8', scale, zero);
  };

export const ROWS: readonly Row[] = [
  [
    'QDQ, int8, weights per channel',
    IMAGE,
    (b) => {
      const w = b.node(
        'DequantizeLinear',
        [b.weights('int8', [4, 3, 3, 3]), b.scale([0.01, 0.02, 0.005, 0.03]), b.zero('int8', [0, 0, 0, 0])],
        { axis: 0 },
      );
      return b.node('Conv', [b.real(b.quantised('x', 'int8', S, -5), 'int8', S, -5), w]);
    },
  ],
  ['QDQ that clips', IMAGE, (b) => b.real(b.quantised('x', 'uint8', 1 / 256, 128), 'uint8', 1 / 256, 128)],
  [
    'QDQ of weights in training',
    IMAGE,
    (b) => {
      const w = b.initializer('real', tensorF32([2, 3, 1, 1], noise(6, 4)));
      return b.node('Conv', ['x', b.real(b.quantised(w, 'int8', 0.02, 3), 'int8', 0.02, 3)]);
    },
  ],
  [
    'activations per channel',
    IMAGE,
    (b) => {
      const by = [b.scale([1 / 64, 1 / 80, 1 / 100]), b.zero('uint8', [100, 120, 140])];
      return b.node('DequantizeLinear', [b.node('QuantizeLinear', ['x', ...by], { axis: 1 }), ...by], {
        axis: 1,
      });
    },
  ],
  [
    "QDQ of the runtime's own domain",
    IMAGE,
    (b) => {
      const by = [b.scale(S), b.zero('uint8', 120)];
      return b.microsoft('DequantizeLinear', [b.microsoft('QuantizeLinear', ['x', ...by]), ...by]);
    },
  ],
  [
    'another scale behind than in front',
    IMAGE,
    (b) => b.real(b.quantised('x', 'uint8', S, 120), 'uint8', 1 / 32, 110),
  ],
  [
    'integers that are pooled, joined and reshaped',
    IMAGE,
    (b) => {
      const q = b.quantised('x', 'uint8', S, 120);
      const pooled = b.node('MaxPool', [q], { kernel_shape: [2, 2], strides: [2, 2] });
      const joined = b.node('Concat', [pooled, pooled], { axis: 1 });
      return b.real(b.node('Reshape', [joined, b.i64([0, -1])]), 'uint8', S, 120);
    },
  ],
  ['ConvInteger behind DynamicQuantizeLinear, int8', IMAGE, (b) => dynamicConv(b, 'int8', 0)],
  ['ConvInteger behind DynamicQuantizeLinear, uint8', IMAGE, (b) => dynamicConv(b, 'uint8', 128)],
  [
    'MatMulInteger',
    [5],
    (b) => {
      const [x, scale, at] = b.nodes('DynamicQuantizeLinear', ['x'], {}, ['q', 's', 'z']);
      const sums = b.node('MatMulInteger', [x, b.weights('uint8', [5, 3]), at, b.zero('uint8', 120)]);
      return b.node('Mul', [b.node('Cast', [sums], { to: 1 }), b.node('Mul', [scale, b.scale(0.02)])]);
    },
  ],
  [
    'QLinearConv',
    IMAGE,
    between((b, x, out) => {
      const w = [
        b.weights('int8', [4, 3, 3, 3]),
        b.scale([0.01, 0.02, 0.005, 0.01]),
        b.zero('int8', [0, 0, 0, 0]),
      ];
      const bias = b.integers('int32', [4], [4000, -2000, 3000, 500]);
      return b.node('QLinearConv', [...x, ...w, ...out, bias], { strides: [2, 2], pads: [1, 1, 1, 1] });
    }, 0.1),
  ],
  [
    'QLinearMatMul',
    [5],
    between(
      (b, x, out) =>
        b.node('QLinearMatMul', [...x, b.weights('int8', [5, 3]), b.scale(0.02), b.zero('int8', 3), ...out]),
      0.05,
    ),
  ],
  [
    'QLinearAdd',
    IMAGE,
    between(
      (b, x, out) =>
        b.microsoft('QLinearAdd', [
          ...x,
          b.weights('uint8', [3, 1, 1]),
          b.scale(0.01),
          b.zero('uint8', 100),
          ...out,
        ]),
      0.02,
    ),
  ],
  ['QLinearMul', IMAGE, between((b, x, out) => b.microsoft('QLinearMul', [...x, ...x, ...out]), 0.01, 20)],
  [
    'QLinearSigmoid',
    IMAGE,
    between((b, x, out) => b.microsoft('QLinearSigmoid', [...x, ...out]), 1 / 256, 0),
  ],
  [
    'QLinearLeakyRelu',
    IMAGE,
    between((b, x, out) => b.microsoft('QLinearLeakyRelu', [...x, ...out], { alpha: float(0.2) }), S),
  ],
  [
    'QLinearGlobalAveragePool',
    IMAGE,
    between(
      (b, x, out) => b.microsoft('QLinearGlobalAveragePool', [...x, ...out], { channels_last: 0 }),
      1 / 256,
      128,
    ),
  ],
  [
    'QLinearAveragePool',
    IMAGE,
    between(
      (b, x, out) =>
        b.microsoft('QLinearAveragePool', [...x, ...out], { kernel_shape: [2, 2], strides: [2, 2] }),
      S,
    ),
  ],
  [
    'QLinearConcat',
    IMAGE,
    between((b, x, out) => b.microsoft('QLinearConcat', [...out, ...x, ...x], { axis: 1 }), S, 120),
  ],
  [
    'QGemm',
    [5],
    between((b, x, out) => {
      const bias = b.integers('int32', [3], [900, -700, 0]);
      return b.microsoft(
        'QGemm',
        [...x, b.weights('int8', [3, 5]), b.scale(0.02), b.zero('int8', 3), bias, ...out],
        { transB: 1 },
      );
    }, 0.05),
  ],
  [
    'DynamicQuantizeMatMul',
    [5],
    (b) =>
      b.microsoft('DynamicQuantizeMatMul', [
        'x',
        b.weights('uint8', [5, 3]),
        b.scale(0.02),
        b.zero('uint8', 120),
        b.scale([1, 2, 3]),
      ]),
  ],
  [
    'MatMulIntegerToFloat',
    [5],
    (b) => {
      const [x, scale, at] = b.nodes('DynamicQuantizeLinear', ['x'], {}, ['q', 's', 'z']);
      return b.microsoft('MatMulIntegerToFloat', [
        x,
        b.weights('uint8', [5, 3]),
        scale,
        b.scale(0.02),
        at,
        b.zero('uint8', 120),
        b.scale([1, 2, 3]),
      ]);
    },
  ],
  [
    'float16',
    IMAGE,
    (b) => {
      const w = b.initializer('w', halves([4, 3, 1, 1]));
      const y = b.node('Conv', [b.node('Cast', ['x'], { to: 10 }), w]);
      return b.node('Cast', [b.node('Tanh', [y])], { to: 1 });
    },
  ],
];

/** Numbers that float16 holds: 1, 1.5, -0.25, ... by their bits. */
export function halves(dims: readonly number[]): Tensor {
  const bits = [0x3c00, 0x3e00, 0xb400, 0x3555, 0x0001, 0xbc00];
  const count = dims.reduce((a, b) => a * b, 1);
  return {
    type: 'float16',
    dims,
    data: Uint16Array.from({ length: count }, (_, i) => bits[i % bits.length]),
  };
}
