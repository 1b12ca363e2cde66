/**
 * What small networks begin with: convolutions down to a quarter of the size, which see fine texture at half of it. The
 * first one halves the size and keeps more numbers than it reads, so that texture survives; nothing ever runs at full
 * size with many channels, since on a CPU it is reading and writing activations that takes the time.
 */
import { type Layers, type Maps } from '../layers.js';

/** Pixels [N, 3, h, w] to 32 channels at h/4 x w/4; its layers are `trunk.0` and `trunk.1`. */
export function early(layers: Layers, pixels: Maps): Maps {
  const stem = layers.convNormRelu('trunk.0', pixels, { channels: 16, stride: 2 });
  const textured = layers.convNormRelu('trunk.1.wide', stem, { channels: 32 });
  return residual(layers, 'trunk.1', layers.maxPool('trunk.1.small', textured));
}

/** relu(x + f(x)) with two convolutions in f. */
export function residual(layers: Layers, name: string, x: Maps): Maps {
  const { channels } = x;
  const inner = layers.convNormRelu(`${name}.inner`, x, { channels });
  const outer = layers.batchNorm(`${name}.outer.norm`, layers.conv(`${name}.outer`, inner, { channels }));
  return layers.relu(name, layers.add(`${name}.sum`, x, outer));
}
