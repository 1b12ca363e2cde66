/** Residual networks (He et al., 2016). */
import { type Layers, type Maps } from '../layers.js';
import { type Backbone } from './backbone.js';
import { early, residual } from './early.js';

/** About 0.1 million parameters; at 64x64 its stages are 16 channels at 32x32, 32 at 16x16 and 64 at 8x8. */
export const resnetSmall: Backbone = {
  multiple: 8,
  build(layers, pixels) {
    const middle = early(layers, pixels);
    const wide = layers.convNormRelu('trunk.2.wide', layers.maxPool('trunk.2.small', middle), {
      channels: 64,
    });
    return { last: residual(layers, 'trunk.2', wide), texture: middle };
  },
};

/** One residual block: f(x) for a width and a stride. */
type Branch = (layers: Layers, name: string, x: Maps, width: number, stride: number) => Maps;

/** Two 3x3 convolutions. */
const basic: Branch = (layers, name, x, width, stride) => {
  const first = layers.conv(`${name}.conv1`, x, { channels: width, stride });
  const inner = layers.relu(`${name}.relu1`, layers.batchNorm(`${name}.bn1`, first));
  return layers.batchNorm(`${name}.bn2`, layers.conv(`${name}.conv2`, inner, { channels: width }));
};

/** How many times wider than its inner convolution a bottleneck's output is. */
const EXPANSION = 4;

/** 1x1, 3x3, 1x1; the stride in the middle, as torchvision has it. */
const bottleneck: Branch = (layers, name, x, width, stride) => {
  const first = layers.conv(`${name}.conv1`, x, { channels: width, kernel: 1 });
  const narrow = layers.relu(`${name}.relu1`, layers.batchNorm(`${name}.bn1`, first));
  const second = layers.conv(`${name}.conv2`, narrow, { channels: width, stride });
  const inner = layers.relu(`${name}.relu2`, layers.batchNorm(`${name}.bn2`, second));
  const wide = layers.conv(`${name}.conv3`, inner, { channels: EXPANSION * width, kernel: 1 });
  return layers.batchNorm(`${name}.bn3`, wide);
};

/** relu(skip(x) + f(x)); the skip is a 1x1 convolution where f changes the shape. */
function block(layers: Layers, branch: Branch, name: string, x: Maps, width: number, stride: number): Maps {
  const out = branch(layers, name, x, width, stride);
  const same = out.channels === x.channels && stride === 1;
  const skip = (): Maps => {
    const conv = layers.conv(`${name}.downsample.0`, x, { channels: out.channels, kernel: 1, stride });
    return layers.batchNorm(`${name}.downsample.1`, conv);
  };
  return layers.relu(`${name}.relu`, layers.add(`${name}.sum`, same ? x : skip(), out));
}

const FIRST_WIDTH = 64;

/** Four stages, each twice as wide and half as high and wide as the one before; at 224x224 they end at 7x7. */
const standard = (branch: Branch, depths: readonly number[]): Backbone => ({
  multiple: 32,
  build(layers, pixels) {
    const conv = layers.conv('trunk.conv1', pixels, { channels: FIRST_WIDTH, kernel: 7, stride: 2 });
    const stem = layers.relu('trunk.relu', layers.batchNorm('trunk.bn1', conv));
    let x = layers.maxPool('trunk.maxpool', stem, { kernel: 3, stride: 2, pad: 1 });
    const stages = depths.map((depth, stage) => {
      for (let i = 0; i < depth; i++) {
        const stride = i === 0 && stage > 0 ? 2 : 1;
        x = block(layers, branch, `trunk.layer${stage + 1}.${i}`, x, FIRST_WIDTH * 2 ** stage, stride);
      }
      return x;
    });
    return { last: x, texture: stages[1] };
  },
});

export const resnet18 = standard(basic, [2, 2, 2, 2]);
export const resnet50 = standard(bottleneck, [3, 4, 6, 3]);
