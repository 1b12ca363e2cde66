/**
 * Steps that ONNX Runtime computes without leaving its blocked channel layout (NCHWc). Between convolutions it keeps
 * feature maps in blocks of 16 channels (8 without AVX-512), and an operator that knows no such blocks makes it
 * reorder whole maps, there and back: often more work than the operator itself. What stays inside: Conv with constant
 * weights, pools, Relu, Sigmoid, Tanh and HardSigmoid, Add, Sum and Mul of equal shapes, and Concat of whole blocks;
 * a sum or activation behind a convolution is fused into it. So masks, factors and shifts are written with those.
 * See `onnxruntime/core/optimizer/nchwc_transformer.cc`.
 */
import { float, tensorF32, type GraphBuilder } from '../builder.js';
import { product } from './tensors.js';

/** Whole blocks, on every processor. */
const BLOCK = 16;

export const inBlocks = (channels: number): boolean => channels % BLOCK === 0;

/**
 * So steep that a HardSigmoid is a step: it ends within 2^-100 of its threshold. A power of two, because products
 * with it are exact and the step therefore stands exactly at any threshold.
 */
const STEEP = 2 ** 100;

/** 1 where `tensor` is above the threshold, else 0. */
export const above = (b: GraphBuilder, tensor: string, threshold = 0): string =>
  b.node('HardSigmoid', [tensor], { alpha: float(STEEP), beta: float(-threshold * STEEP) });

/** 1 where `tensor` is below the threshold, else 0. */
export const below = (b: GraphBuilder, tensor: string, threshold: number): string =>
  b.node('HardSigmoid', [tensor], { alpha: float(-STEEP), beta: float(threshold * STEEP) });

/** 1 where `tensor`, which is nowhere negative, is zero, else 0. */
export const zero = (b: GraphBuilder, tensor: string): string =>
  b.node('HardSigmoid', [tensor], { alpha: float(-STEEP), beta: float(1) });

/** 1 where `tensor`, which is nowhere positive, is zero, else 0. */
export const zeroFromBelow = (b: GraphBuilder, tensor: string): string =>
  b.node('HardSigmoid', [tensor], { alpha: float(STEEP), beta: float(1) });

/** Maps [N, C, H, W], each channel times its factor. */
export const scaleChannels = (b: GraphBuilder, maps: string, factors: ArrayLike<number>): string =>
  b.node('Conv', [maps, b.constant(tensorF32([factors.length, 1, 1, 1], factors))], {
    group: factors.length,
    kernel_shape: [1, 1],
  });

/** Which element of each window {@link tap} takes, times what. */
export interface Tap {
  readonly kernel: readonly number[];
  /** Within the kernel. */
  readonly at: readonly number[];
  readonly factor: number;
  readonly strides?: readonly number[];
  readonly pads?: readonly number[];
}

/** One element of each window of maps [N, channels, H, W]; zero where that lies in the padding. */
export function tap(b: GraphBuilder, maps: string, channels: number, t: Tap): string {
  const taps = product(t.kernel);
  const place = t.at[0] * t.kernel[1] + t.at[1];
  const weights = Float32Array.from({ length: channels * taps }, (_, i) =>
    i % taps === place ? t.factor : 0,
  );
  return b.node('Conv', [maps, b.constant(tensorF32([channels, 1, ...t.kernel], weights))], {
    group: channels,
    kernel_shape: t.kernel,
    strides: t.strides ?? [1, 1],
    pads: t.pads ?? [0, 0, 0, 0],
  });
}
