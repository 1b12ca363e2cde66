/**
 * `resnet-small`: a residual network (He et al., 2016) that trains on a CPU. About 0.1 million parameters; at 64x64
 * its stages are 16 channels at 32x32, 32 at 16x16 and 64 at 8x8. The first convolution halves the size and keeps
 * more numbers than it reads, so that fine texture survives; nothing ever runs at full size with many channels,
 * since on a CPU it is reading and writing activations that takes the time.
 */
import { type Trunk } from './backbone.js';
import { type Layers, type Maps } from './layers.js';

export function resnetSmall(layers: Layers, pixels: Maps): Trunk {
  const stem = layers.convNormRelu('trunk.0', pixels, { channels: 16, stride: 2 });
  const textured = layers.convNormRelu('trunk.1.wide', stem, { channels: 32 });
  const middle = residual(layers, 'trunk.1', layers.maxPool('trunk.1.small', textured));
  const wide = layers.convNormRelu('trunk.2.wide', layers.maxPool('trunk.2.small', middle), { channels: 64 });
  const last = residual(layers, 'trunk.2', wide);
  return { last, texture: middle };
}

/** relu(x + f(x)) with two convolutions in f. */
function residual(layers: Layers, name: string, x: Maps): Maps {
  const { channels } = x;
  const inner = layers.convNormRelu(`${name}.inner`, x, { channels });
  const outer = layers.batchNorm(`${name}.outer.norm`, layers.conv(`${name}.outer`, inner, { channels }));
  return layers.relu(name, layers.add(`${name}.sum`, x, outer));
}
