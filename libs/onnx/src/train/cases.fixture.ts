/** Small networks that between them use every formulation of the compiled step. */
import { float, GraphBuilder, modelOf, tensorF32 } from '../builder.js';
import type { Model } from '../graph.js';
import type { LossKind, TrainingSpec } from './spec.js';

/** Height and width of their pixels [N, 2, SIZE, SIZE]. */
export const SIZE = 8;

/** Numbers in (-1, 1) that repeat with the seed. */
export function noise(length: number, seed: number): Float32Array {
  let state = Math.imul(seed, 2654435761) >>> 0;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 31 - 1) * 0.999;
  });
}

/** A small language of layers for the networks of this test. */
class Net {
  readonly b = new GraphBuilder();
  #seed = 1;

  constructor() {
    this.b.input('pixels', 'float32', ['N', 2, SIZE, SIZE]);
  }

  weight(name: string, dims: readonly number[], around = 0): string {
    const length = dims.reduce((a, n) => a * n, 1);
    const data = noise(length, this.#seed++).map((v) => around + 0.6 * v);
    return this.b.initializer(name, tensorF32(dims, data));
  }

  conv(
    name: string,
    x: string,
    dims: readonly number[],
    options: Record<string, number | number[]> = {},
  ): string {
    return this.b.node('Conv', [x, this.weight(`${name}.w`, dims)], { pads: [1, 1, 1, 1], ...options }, name);
  }

  norm(name: string, x: string, channels: number): string {
    const parts = [
      this.weight(`${name}.scale`, [channels], 1),
      this.weight(`${name}.bias`, [channels]),
      this.weight(`${name}.mean`, [channels]),
      this.weight(`${name}.var`, [channels], 1),
    ];
    return this.b.node(
      'BatchNormalization',
      [x, ...parts],
      { epsilon: float(1e-3), momentum: float(0.8) },
      name,
    );
  }

  node(op: string, ...inputs: string[]): string {
    return this.b.node(op, inputs);
  }

  pool(x: string, kernel = 2, stride = 2): string {
    return this.b.node('MaxPool', [x], { kernel_shape: [kernel, kernel], strides: [stride, stride] });
  }

  dense(name: string, x: string, dims: readonly [number, number]): string {
    const pooled = this.node('Flatten', this.node('GlobalAveragePool', x));
    const parts = [this.weight(`${name}.w`, dims), this.weight(`${name}.b`, [dims[0]])];
    return this.b.node('Gemm', [pooled, ...parts], { transB: 1 }, name);
  }

  model(outputs: Readonly<Record<string, readonly number[]>>): Model {
    for (const [name, dims] of Object.entries(outputs)) this.b.output(name, 'float32', ['N', ...dims]);
    return modelOf(this.b.build('net'));
  }
}

export const loss = (output: string, kind: LossKind, weight = 1): TrainingSpec['losses'][number] => ({
  name: output,
  kind,
  output,
  target: `target/${output}`,
  mask: `mask/${output}`,
  weight,
});

export interface Case {
  readonly model: Model;
  readonly losses: TrainingSpec['losses'];
}

export const CASES: Readonly<Record<string, () => Case>> = {
  'convolution, normalisation, ReLU, pool': () => {
    const net = new Net();
    const relu = net.node('Relu', net.norm('norm', net.conv('conv', 'pixels', [3, 2, 3, 3]), 3));
    const second = net.node('Relu', net.norm('norm2', net.conv('conv2', net.pool(relu), [4, 3, 3, 3]), 4));
    net.dense('live', net.pool(second), [2, 4]);
    return { model: net.model({ live: [2] }), losses: [loss('live', 'cross-entropy')] };
  },
  'residual, strides, groups, many channels': () => {
    const net = new Net();
    const stem = net.conv('stem', 'pixels', [16, 2, 3, 3], { strides: [2, 2] });
    const x = net.node('Relu', net.norm('norm', stem, 16));
    const inner = net.conv('depthwise', x, [16, 1, 3, 3], { group: 16 });
    const grouped = net.conv('grouped', inner, [16, 8, 3, 3], {
      group: 2,
      pads: [2, 2, 2, 2],
      dilations: [2, 2],
    });
    const sum = net.node('Add', x, net.norm('norm2', grouped, 16));
    const relu = net.node('Relu', sum);
    // On one pixel most taps of the kernel meet nothing but padding.
    const pixel = net.conv('pixel', net.pool(relu, 4, 4), [3, 16, 3, 3]);
    net.b.node('Flatten', [pixel], {}, 'illumination');
    const taps = net.conv('taps', relu, [3, 16, 3, 2], {
      strides: [2, 1],
      pads: [1, 0, 1, 1],
    });
    const narrow = net.conv('narrow', taps, [4, 3, 1, 1], { pads: [0, 0, 0, 0] });
    net.dense('attributes', net.norm('norm3', net.node('Sigmoid', narrow), 4), [5, 4]);
    return {
      model: net.model({ attributes: [5], illumination: [3] }),
      losses: [loss('attributes', 'binary-cross-entropy'), loss('illumination', 'cross-entropy')],
    };
  },
  'several heads, maps, overlapping pool, bias': () => {
    const net = new Net();
    const bias = net.weight('conv.b', [3]);
    const w = net.weight('conv.w', [3, 2, 3, 3]);
    const conv = net.b.node('Conv', ['pixels', w, bias], { pads: [1, 1, 1, 1] }, 'conv');
    const x = net.node('Relu', net.norm('norm', conv, 3));
    const small = net.pool(x, 3, 2);
    net.b.node('Sigmoid', [net.conv('map', small, [1, 3, 3, 3])], {}, 'depth');
    const hidden = net.node('Relu', net.dense('hidden', small, [6, 3]));
    const product = net.node('MatMul', hidden, net.weight('matrix', [6, 2]));
    net.b.node('Add', [product, net.weight('matrix.b', [2])], {}, 'live');
    return {
      model: net.model({ live: [2], depth: [1, 3, 3] }),
      losses: [loss('live', 'cross-entropy', 2), loss('depth', 'mean-squared-error', 0.5)],
    };
  },
};
