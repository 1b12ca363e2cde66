/**
 * The layers that networks are made of, written once over the graph builder. A layer knows the sizes that reach
 * it, so a network names only what it chooses. Parameters are initializers called `<layer>.weight`, `.bias`,
 * `.running_mean` and `.running_var`, and a layer's output has the layer's name.
 *
 * Weights start as He et al. (2015) propose for ReLU: normal with variance 2 / fan-in; those of a layer whose
 * output meets no ReLU have variance 1 / fan-in. Each draws from a stream of its own name.
 */
import { type GraphBuilder, float, tensorF32 } from '@facet/onnx';
import { Random } from '@facet/random';

/** A feature map [N, channels, height, width]. */
export interface Maps {
  readonly tensor: string;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** Rows of features [rows, features]: one per sample, or one per token. */
export interface Vectors {
  readonly tensor: string;
  readonly features: number;
}

/** The places of a map as rows [N x height x width, features]. */
export interface Tokens extends Vectors {
  readonly height: number;
  readonly width: number;
}

export interface ConvOptions {
  readonly channels: number;
  /** 3 unless given. */
  readonly kernel?: number;
  readonly stride?: number;
  /** On every side; unless given so much that stride 1 keeps height and width, for which the kernel must be odd. */
  readonly pad?: number;
  /** Off unless given: a BatchNormalization behind it would cancel it. */
  readonly bias?: boolean;
  readonly gain?: Gain;
}

/** What follows the layer: it decides the variance of the initial weights. */
export type Gain = 'relu' | 'linear';

export interface PoolOptions {
  readonly kernel: number;
  readonly stride: number;
  readonly pad: number;
}

/** Windows of 2x2 side by side; a remainder at the right and lower edge is left out. */
const HALVING: PoolOptions = { kernel: 2, stride: 2, pad: 0 };

/** Height or width behind windows of that kind. */
const places = (size: number, { kernel, stride, pad }: PoolOptions): number =>
  Math.floor((size + 2 * pad - kernel) / stride) + 1;

const four = (pad: number): number[] => [pad, pad, pad, pad];

/** Of both normalisations. */
const NORM_EPSILON = 1e-5;
/** ONNX's momentum: the share of the old running moment that stays; PyTorch calls 1 minus this momentum. */
const BATCH_NORM_MOMENTUM = 0.9;
/** Standard deviation of a table's first numbers (Liu et al., 2021). */
const TABLE_DEVIATION = 0.02;

export class Layers {
  constructor(
    readonly builder: GraphBuilder,
    readonly seed: number,
  ) {}

  conv(name: string, x: Maps, options: ConvOptions): Maps {
    const { channels, kernel = 3, stride = 1, bias = false, gain = 'relu' } = options;
    const pad = options.pad ?? (kernel - 1) / 2;
    const inputs = [
      x.tensor,
      this.#weight(`${name}.weight`, [channels, x.channels, kernel, kernel], x.channels * kernel ** 2, gain),
    ];
    if (bias) inputs.push(this.#filled(`${name}.bias`, channels, 0));
    const tensor = this.builder.node(
      'Conv',
      inputs,
      { kernel_shape: [kernel, kernel], strides: [stride, stride], pads: four(pad) },
      name,
    );
    const windows = { kernel, stride, pad };
    return { tensor, channels, height: places(x.height, windows), width: places(x.width, windows) };
  }

  /** Ioffe and Szegedy (2015), over N, height and width. */
  batchNorm(name: string, x: Maps): Maps {
    const n = x.channels;
    const tensor = this.builder.node(
      'BatchNormalization',
      [
        x.tensor,
        this.#filled(`${name}.weight`, n, 1),
        this.#filled(`${name}.bias`, n, 0),
        this.#filled(`${name}.running_mean`, n, 0),
        this.#filled(`${name}.running_var`, n, 1),
      ],
      { epsilon: float(NORM_EPSILON), momentum: float(BATCH_NORM_MOMENTUM) },
      name,
    );
    return { ...x, tensor };
  }

  /** Ba et al. (2016), over a row's features. */
  layerNorm<T extends Vectors>(name: string, x: T): T {
    const parameters = [
      this.#filled(`${name}.weight`, x.features, 1),
      this.#filled(`${name}.bias`, x.features, 0),
    ];
    const attributes = { axis: -1, epsilon: float(NORM_EPSILON) };
    return {
      ...x,
      tensor: this.builder.node('LayerNormalization', [x.tensor, ...parameters], attributes, name),
    };
  }

  relu<T extends Maps | Vectors>(name: string, x: T): T {
    return { ...x, tensor: this.builder.node('Relu', [x.tensor], {}, name) };
  }

  /** Hendrycks and Gimpel (2016), exact: x Phi(x), written as the runtime knows to fuse it. */
  gelu<T extends Maps | Vectors>(name: string, x: T): T {
    const b = this.builder;
    const erf = b.node('Erf', [b.node('Div', [x.tensor, b.f32(Math.SQRT2)])]);
    const doubled = b.node('Mul', [x.tensor, b.node('Add', [erf, b.f32(1)])]);
    return { ...x, tensor: b.node('Mul', [doubled, b.f32(0.5)], {}, name) };
  }

  add<T extends Maps | Vectors>(name: string, a: T, b: T): T {
    return { ...a, tensor: this.builder.node('Add', [a.tensor, b.tensor], {}, name) };
  }

  /** Along the channels. */
  concat(name: string, a: Maps, b: Maps): Maps {
    const tensor = this.builder.node('Concat', [a.tensor, b.tensor], { axis: 1 }, name);
    return { ...a, tensor, channels: a.channels + b.channels };
  }

  sigmoid(name: string, x: Maps): Maps {
    return { ...x, tensor: this.builder.node('Sigmoid', [x.tensor], {}, name) };
  }

  /** Conv, batchNorm, relu; called `<name>.conv`, `<name>.norm`, `<name>`. */
  convNormRelu(name: string, x: Maps, options: ConvOptions): Maps {
    return this.relu(name, this.batchNorm(`${name}.norm`, this.conv(`${name}.conv`, x, options)));
  }

  maxPool(name: string, x: Maps, options = HALVING): Maps {
    return this.#pool('MaxPool', name, x, options);
  }

  averagePool(name: string, x: Maps): Maps {
    return this.#pool('AveragePool', name, x, HALVING);
  }

  globalAveragePool(name: string, x: Maps): Vectors {
    const pooled = this.builder.node('GlobalAveragePool', [x.tensor], {}, `${name}.map`);
    return {
      tensor: this.builder.node('Flatten', [pooled], { axis: 1 }, name),
      features: x.channels,
    };
  }

  linear<T extends Vectors>(name: string, x: T, features: number, gain: Gain, { bias = true } = {}): T {
    const inputs = [x.tensor, this.#weight(`${name}.weight`, [features, x.features], x.features, gain)];
    if (bias) inputs.push(this.#filled(`${name}.bias`, features, 0));
    return { ...x, tensor: this.builder.node('Gemm', inputs, { transB: 1 }, name), features };
  }

  /** Learnt numbers that are looked up. */
  table(name: string, dims: readonly number[]): string {
    return this.#normal(name, dims, TABLE_DEVIATION);
  }

  /** The places of a map as rows. */
  tokens(name: string, { tensor, channels, height, width }: Maps): Tokens {
    const b = this.builder;
    const last = b.node('Transpose', [tensor], { perm: [0, 2, 3, 1] });
    const rows = b.node('Reshape', [last, b.i64([-1, channels])], {}, name);
    return { tensor: rows, features: channels, height, width };
  }

  /** Tokens laid out as a map again. */
  maps(name: string, { tensor, features, height, width }: Tokens): Maps {
    const b = this.builder;
    const laid = b.node('Reshape', [tensor, b.i64([-1, height, width, features])]);
    const map = b.node('Transpose', [laid], { perm: [0, 3, 1, 2] }, name);
    return { tensor: map, channels: features, height, width };
  }

  /** Squares of 2x2 places as one row each, the features of their places side by side: down first, then right. */
  neighbours(name: string, { tensor, channels, height, width }: Maps): Tokens {
    const b = this.builder;
    const squares = b.node('Reshape', [tensor, b.i64([-1, channels, height / 2, 2, width / 2, 2])]);
    const together = b.node('Transpose', [squares], { perm: [0, 2, 4, 5, 3, 1] });
    const rows = b.node('Reshape', [together, b.i64([-1, 4 * channels])], {}, name);
    return { tensor: rows, features: 4 * channels, height: height / 2, width: width / 2 };
  }

  #pool(op: string, name: string, x: Maps, options: PoolOptions): Maps {
    const { kernel, stride, pad } = options;
    const attributes = { kernel_shape: [kernel, kernel], strides: [stride, stride], pads: four(pad) };
    const tensor = this.builder.node(op, [x.tensor], attributes, name);
    return { ...x, tensor, height: places(x.height, options), width: places(x.width, options) };
  }

  #weight(name: string, dims: readonly number[], fanIn: number, gain: Gain): string {
    return this.#normal(name, dims, Math.sqrt((gain === 'relu' ? 2 : 1) / fanIn));
  }

  #normal(name: string, dims: readonly number[], deviation: number): string {
    const random = new Random(this.seed, 'weights', name);
    const size = dims.reduce((a, b) => a * b, 1);
    const data = Float32Array.from({ length: size }, () => deviation * random.normal());
    return this.builder.initializer(name, tensorF32(dims, data));
  }

  #filled(name: string, size: number, value: number): string {
    return this.builder.initializer(name, tensorF32([size], new Float32Array(size).fill(value)));
  }
}
