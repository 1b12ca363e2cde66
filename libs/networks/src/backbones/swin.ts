/**
 * Swin Transformer (Liu et al., 2021): attention inside windows of tokens, which every second block shifts by half a
 * window, so that neighbours meet. Tokens are rows [N x height x width, channels] throughout, which makes every dense
 * layer one matrix product; between stages they are laid out as a map, where texture can be read.
 */
import { type Layers, type Maps, type Tokens } from '../layers.js';
import { attention, type Windows } from './attention.js';
import { type Backbone } from './backbone.js';
import { early } from './early.js';

interface SwinOptions {
  readonly embed: Embedding;
  /** Channels of the first stage; each further one has twice as many. */
  readonly channels: number;
  readonly depths: readonly number[];
  /** Heads of attention per stage. */
  readonly heads: readonly number[];
  /** Height and width of a window in tokens, at most; smaller where it does not divide the stage's tokens. */
  readonly window: number;
}

/** Pixels to a quarter of their height and width, in so many channels. */
type Embedding = (layers: Layers, pixels: Maps, channels: number) => Maps;

const EMBEDDING = 'trunk.features.0.0';
const PATCH = 4;
/** Width of the dense layers between two attentions, in channels. */
const EXPANSION = 4;

/** As published: patches of 4x4, each by itself. */
const patches: Embedding = (layers, pixels, channels) =>
  layers.conv(EMBEDDING, pixels, {
    channels,
    kernel: PATCH,
    stride: PATCH,
    pad: 0,
    bias: true,
    gain: 'linear',
  });

/**
 * Convolutions in place of patches (Xiao et al., 2021, "Early convolutions help transformers see better"). From a few
 * thousand faces attention over patches does not learn the fine texture that tells an attack: docs/guide/training.md has
 * the figures.
 */
const convolutions: Embedding = (layers, pixels, channels) =>
  layers.conv(EMBEDDING, early(layers, pixels), { channels, kernel: 1, bias: true, gain: 'linear' });

const swin = ({ embed, channels, depths, heads, window }: SwinOptions): Backbone => ({
  multiple: PATCH * 2 ** (depths.length - 1),
  build(layers, pixels) {
    const embedded = embed(layers, pixels, channels);
    let x = layers.layerNorm('trunk.features.0.2', layers.tokens('trunk.features.0.1', embedded));
    const maps: Maps[] = [];
    depths.forEach((depth, stage) => {
      const at = 2 * stage + 1;
      for (let i = 0; i < depth; i++) {
        const windows = windowsOf(x, heads[stage], window, i % 2 === 1);
        x = block(layers, `trunk.features.${at}.${i}`, x, windows);
      }
      if (stage === depths.length - 1) x = layers.layerNorm('trunk.norm', x);
      maps.push(layers.maps(`trunk.stage${stage + 1}`, x));
      if (stage < depths.length - 1) x = merged(layers, `trunk.features.${at + 1}`, maps[stage]);
    });
    return { last: maps[maps.length - 1], texture: maps[Math.floor((maps.length - 1) / 2)] };
  },
});

/** About 0.2 million parameters; at 64x64 it begins as `resnet-small` does, and its stages are 32 channels at 16x16 and 64 at 8x8. */
export const swinMicro = swin({
  embed: convolutions,
  channels: 32,
  depths: [2, 2],
  heads: [2, 4],
  window: 4,
});

/** Swin-T; at 224x224 it ends in 768 channels at 7x7. */
export const swinTiny = swin({
  embed: patches,
  channels: 96,
  depths: [2, 2, 6, 2],
  heads: [3, 6, 12, 24],
  window: 7,
});

/** Nothing is shifted where one window holds all tokens. */
function windowsOf({ height, width }: Tokens, heads: number, largest: number, shifted: boolean): Windows {
  let size = largest;
  while (height % size !== 0 || width % size !== 0) size--;
  const shift = shifted && size < Math.min(height, width) ? Math.floor(size / 2) : 0;
  return { heads, size, shift };
}

/** x + attention(norm(x)), then y + dense(norm(y)). */
function block(layers: Layers, name: string, x: Tokens, windows: Windows): Tokens {
  const attended = attention(layers, `${name}.attn`, layers.layerNorm(`${name}.norm1`, x), windows);
  const y = layers.add(`${name}.attended`, x, attended);
  const wide = layers.linear(
    `${name}.mlp.0`,
    layers.layerNorm(`${name}.norm2`, y),
    EXPANSION * y.features,
    'linear',
  );
  const narrow = layers.linear(`${name}.mlp.3`, layers.gelu(`${name}.mlp.1`, wide), y.features, 'linear');
  return layers.add(`${name}.out`, y, narrow);
}

/** Four neighbours become one token of twice the channels. */
function merged(layers: Layers, name: string, x: Maps): Tokens {
  const normed = layers.layerNorm(`${name}.norm`, layers.neighbours(`${name}.neighbours`, x));
  return layers.linear(`${name}.reduction`, normed, 2 * x.channels, 'linear', { bias: false });
}
