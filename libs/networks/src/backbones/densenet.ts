/**
 * Densely connected networks (Huang et al., 2017), with bottlenecks and compression (DenseNet-BC): every layer of a
 * block reads all maps before it and adds a few of its own.
 */
import { type Layers, type Maps } from '../layers.js';
import { type Backbone } from './backbone.js';

/** About 0.1 million parameters; at 64x64 its blocks are at 32x32, 16x16 and 8x8. */
export const densenetSmall: Backbone = {
  multiple: 8,
  build: (layers, pixels) =>
    blocks(layers, layers.convNormRelu('trunk.stem', pixels, { channels: 16, stride: 2 }), [2, 4, 6], 12),
};

/** At 224x224 it ends in 1,024 channels at 7x7. */
export const densenet121: Backbone = {
  multiple: 32,
  build(layers, pixels) {
    const conv = layers.conv('trunk.features.conv0', pixels, { channels: 64, kernel: 7, stride: 2 });
    const stem = layers.relu('trunk.features.relu0', layers.batchNorm('trunk.features.norm0', conv));
    const pooled = layers.maxPool('trunk.features.pool0', stem, { kernel: 3, stride: 2, pad: 1 });
    return blocks(layers, pooled, [6, 12, 24, 16], 32);
  },
};

/** Width of a layer's 1x1 convolution, in growths. */
const BOTTLENECK = 4;

/** @param growth channels that each layer adds */
function blocks(layers: Layers, stem: Maps, depths: readonly number[], growth: number) {
  let x = stem;
  const halved: Maps[] = [];
  depths.forEach((depth, i) => {
    for (let j = 1; j <= depth; j++) {
      const name = `trunk.features.denseblock${i + 1}.denselayer${j}`;
      x = layers.concat(`${name}.all`, x, grown(layers, name, x, growth));
    }
    if (i < depths.length - 1) halved.push((x = transition(layers, `trunk.features.transition${i + 1}`, x)));
  });
  const last = layers.relu('trunk.features.relu5', layers.batchNorm('trunk.features.norm5', x));
  return { last, texture: halved[0] };
}

/** Normalise, ReLU and convolve, twice: 1x1, then 3x3. */
function grown(layers: Layers, name: string, x: Maps, growth: number): Maps {
  const ready = layers.relu(`${name}.relu1`, layers.batchNorm(`${name}.norm1`, x));
  const narrow = layers.conv(`${name}.conv1`, ready, { channels: BOTTLENECK * growth, kernel: 1 });
  const inner = layers.relu(`${name}.relu2`, layers.batchNorm(`${name}.norm2`, narrow));
  return layers.conv(`${name}.conv2`, inner, { channels: growth });
}

/** Half the channels, height and width. */
function transition(layers: Layers, name: string, x: Maps): Maps {
  const ready = layers.relu(`${name}.relu`, layers.batchNorm(`${name}.norm`, x));
  const half = layers.conv(`${name}.conv`, ready, { channels: x.channels / 2, kernel: 1 });
  return layers.averagePool(`${name}.pool`, half);
}
