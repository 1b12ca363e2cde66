/**
 * `resnet-small`: a residual network (He et al., 2016) that trains on a CPU. About 0.13 million parameters; at
 * 64x64 its stages are 16 channels at 32x32, 32 at 16x16 and 64 at 8x8. Residual blocks stand only behind the
 * pooling, where activations are small: on a CPU it is reading and writing them that takes the time.
 */
import { type Trunk } from './backbone.js';
import { type Layers, type Maps } from './layers.js';

export function resnetSmall(layers: Layers, pixels: Maps): Trunk {
  const stem = pooled(layers, 'trunk.0', pixels, 16);
  const middle = residual(layers, 'trunk.1', pooled(layers, 'trunk.1.down', stem, 32));
  const last = residual(layers, 'trunk.2', pooled(layers, 'trunk.2.down', middle, 64));
  return { last, texture: middle };
}

/** Convolution to more channels, then half of the size. */
const pooled = (layers: Layers, name: string, x: Maps, channels: number): Maps =>
  layers.maxPool(name, layers.convNormRelu(`${name}.full`, x, { channels }));

/** relu(x + f(x)) with two convolutions in f. */
function residual(layers: Layers, name: string, x: Maps): Maps {
  const { channels } = x;
  const inner = layers.convNormRelu(`${name}.inner`, x, { channels });
  const outer = layers.batchNorm(`${name}.outer.norm`, layers.conv(`${name}.outer`, inner, { channels }));
  return layers.relu(name, layers.add(`${name}.sum`, x, outer));
}
