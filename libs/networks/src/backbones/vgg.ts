/**
 * VGG (Simonyan and Zisserman, 2015): 3x3 convolutions one after the other, halved by pooling. With
 * BatchNormalization behind each, as torchvision's `vgg16_bn` has it, since without it sixteen layers hardly train.
 */
import { type Layers, type Maps } from '../layers.js';
import { type Backbone } from './backbone.js';

/** Channels of a convolution, or a pooling. */
type Step = number | 'pool';

/**
 * About 0.12 million parameters; at 64x64 it ends in 96 channels at 8x8. The full size has one convolution only: on
 * a CPU it is reading and writing activations that takes the time.
 */
export const vggSmall: Backbone = {
  multiple: 8,
  build: (layers, pixels) =>
    chain(layers, pixels, [16, 'pool', 32, 32, 'pool', 64, 64, 'pool', 96], { textured: 4 }),
};

/** Configuration D of the paper without its dense layers; at 224x224 it ends in 512 channels at 7x7. */
export const vgg16: Backbone = {
  multiple: 32,
  build: (layers, pixels) =>
    chain(
      layers,
      pixels,
      [64, 64, 'pool', 128, 128, 'pool', 256, 256, 256, 'pool', 512, 512, 512, 'pool', 512, 512, 512, 'pool'],
      { textured: 8, bias: true },
    ),
};

interface ChainOptions {
  /** The step, counted from 0, behind which texture is read. */
  readonly textured: number;
  /** Of the convolutions: none is needed before a normalisation, but the published weights have one. */
  readonly bias?: boolean;
}

function chain(
  layers: Layers,
  pixels: Maps,
  steps: readonly Step[],
  { textured, bias = false }: ChainOptions,
) {
  let last = pixels;
  let texture = pixels;
  /** torchvision counts convolutions, normalisations, ReLUs and poolings as layers of their own. */
  let at = 0;
  steps.forEach((step, i) => {
    if (step === 'pool') last = layers.maxPool(`trunk.features.${at++}`, last);
    else {
      const conv = layers.conv(`trunk.features.${at}`, last, { channels: step, bias });
      last = layers.relu(`trunk.features.${at + 2}`, layers.batchNorm(`trunk.features.${at + 1}`, conv));
      at += 3;
    }
    if (i === textured) texture = last;
  });
  return { last, texture };
}
