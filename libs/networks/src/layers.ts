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

/** Feature vectors [N, features]. */
export interface Vectors {
  readonly tensor: string;
  readonly features: number;
}

export interface ConvOptions {
  readonly channels: number;
  /** Odd; padded so that stride 1 keeps height and width. 3 unless given. */
  readonly kernel?: number;
  readonly stride?: number;
  /** Off unless given: a BatchNormalization behind it would cancel it. */
  readonly bias?: boolean;
  readonly gain?: Gain;
}

/** What follows the layer: it decides the variance of the initial weights. */
export type Gain = 'relu' | 'linear';

const BATCH_NORM_EPSILON = 1e-5;
/** ONNX's momentum: the share of the old running moment that stays; PyTorch calls 1 minus this momentum. */
const BATCH_NORM_MOMENTUM = 0.9;

export class Layers {
  constructor(
    readonly builder: GraphBuilder,
    readonly seed: number,
  ) {}

  conv(name: string, x: Maps, options: ConvOptions): Maps {
    const { channels, kernel = 3, stride = 1, bias = false, gain = 'relu' } = options;
    const pad = (kernel - 1) / 2;
    const inputs = [
      x.tensor,
      this.#weight(`${name}.weight`, [channels, x.channels, kernel, kernel], x.channels * kernel ** 2, gain),
    ];
    if (bias) inputs.push(this.#filled(`${name}.bias`, channels, 0));
    const tensor = this.builder.node(
      'Conv',
      inputs,
      { kernel_shape: [kernel, kernel], strides: [stride, stride], pads: [pad, pad, pad, pad] },
      name,
    );
    const size = (n: number): number => Math.floor((n - 1) / stride) + 1;
    return { tensor, channels, height: size(x.height), width: size(x.width) };
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
      { epsilon: float(BATCH_NORM_EPSILON), momentum: float(BATCH_NORM_MOMENTUM) },
      name,
    );
    return { ...x, tensor };
  }

  relu<T extends Maps | Vectors>(name: string, x: T): T {
    return { ...x, tensor: this.builder.node('Relu', [x.tensor], {}, name) };
  }

  add(name: string, a: Maps, b: Maps): Maps {
    return { ...a, tensor: this.builder.node('Add', [a.tensor, b.tensor], {}, name) };
  }

  sigmoid(name: string, x: Maps): Maps {
    return { ...x, tensor: this.builder.node('Sigmoid', [x.tensor], {}, name) };
  }

  /** Conv, batchNorm, relu; called `<name>.conv`, `<name>.norm`, `<name>`. */
  convNormRelu(name: string, x: Maps, options: ConvOptions): Maps {
    return this.relu(name, this.batchNorm(`${name}.norm`, this.conv(`${name}.conv`, x, options)));
  }

  /** Windows of `kernel` x `kernel` side by side; a remainder at the right and lower edge is left out. */
  maxPool(name: string, x: Maps, kernel = 2): Maps {
    const tensor = this.builder.node(
      'MaxPool',
      [x.tensor],
      { kernel_shape: [kernel, kernel], strides: [kernel, kernel] },
      name,
    );
    return {
      tensor,
      channels: x.channels,
      height: Math.floor(x.height / kernel),
      width: Math.floor(x.width / kernel),
    };
  }

  globalAveragePool(name: string, x: Maps): Vectors {
    const pooled = this.builder.node('GlobalAveragePool', [x.tensor], {}, `${name}.map`);
    return {
      tensor: this.builder.node('Flatten', [pooled], { axis: 1 }, name),
      features: x.channels,
    };
  }

  linear(name: string, x: Vectors, features: number, gain: Gain): Vectors {
    const weight = this.#weight(`${name}.weight`, [features, x.features], x.features, gain);
    const bias = this.#filled(`${name}.bias`, features, 0);
    return {
      tensor: this.builder.node('Gemm', [x.tensor, weight, bias], { transB: 1 }, name),
      features,
    };
  }

  #weight(name: string, dims: readonly number[], fanIn: number, gain: Gain): string {
    const random = new Random(this.seed, 'weights', name);
    const deviation = Math.sqrt((gain === 'relu' ? 2 : 1) / fanIn);
    const size = dims.reduce((a, b) => a * b, 1);
    const data = Float32Array.from({ length: size }, () => deviation * random.normal());
    return this.builder.initializer(name, tensorF32(dims, data));
  }

  #filled(name: string, size: number, value: number): string {
    return this.builder.initializer(name, tensorF32([size], new Float32Array(size).fill(value)));
  }
}
