/**
 * Multi-head attention inside windows of tokens, with a learnt bias for every offset between two tokens (Liu et al.,
 * 2021, section 3.2). Shifted windows wrap around the image's edges; a mask keeps tokens that met that way apart.
 */
import { tensorF32, tensorI64 } from '@facet/onnx';
import { type Layers, type Tokens } from '../layers.js';

export interface Windows {
  readonly heads: number;
  /** Height and width in tokens; divides those of the tokens. */
  readonly size: number;
  /** By how many tokens the windows are moved down and right; 0 for none. */
  readonly shift: number;
}

/** Stands for minus infinity in the softmax. */
const APART = -100;

/** Attention of every token to the tokens of its window; parameters are named as torchvision names them. */
export function attention(layers: Layers, name: string, x: Tokens, windows: Windows): Tokens {
  const { builder: b } = layers;
  const { height, width, features } = x;
  const { heads, size, shift } = windows;
  const length = size ** 2;
  const count = (height / size) * (width / size);
  const depth = features / heads;

  const ordered = inWindows(layers, x, size, shift);
  const all = layers.linear(`${name}.qkv`, { ...x, tensor: ordered }, 3 * features, 'linear');
  const apart = b.node('Reshape', [all.tensor, b.i64([-1, length, 3, heads, depth])]);
  // [3, N x windows, heads, length, depth]
  const [query, key, value] = b.nodes(
    'Split',
    [b.node('Transpose', [apart], { perm: [2, 0, 3, 1, 4] })],
    { axis: 0, num_outputs: 3 },
    ['query', 'key', 'value'].map((part) => b.fresh(`${name}.${part}`)),
  );
  const turned = b.node('Transpose', [key], { perm: [0, 1, 2, 4, 3] });
  const scaled = b.node('Mul', [query, b.f32(1 / Math.sqrt(depth))]);
  const scores = b.node('Reshape', [
    b.node('MatMul', [scaled, turned]),
    b.i64([-1, count, heads, length, length]),
  ]);
  const biased = b.node('Add', [scores, offsetBias(layers, name, windows)]);
  const masked = shift === 0 ? biased : b.node('Add', [biased, b.constant(edgeMask(x, windows))]);
  const weights = b.node('Reshape', [
    b.node('Softmax', [masked], { axis: -1 }),
    b.i64([1, -1, heads, length, length]),
  ]);
  const mixed = b.node('Transpose', [b.node('MatMul', [weights, value])], { perm: [0, 1, 3, 2, 4] });
  const rows = { ...x, tensor: b.node('Reshape', [mixed, b.i64([-1, features])]) };
  const projected = layers.linear(`${name}.proj`, rows, features, 'linear');
  return { ...x, tensor: fromWindows(layers, projected, size, shift) };
}

/** The tokens' rows, window by window. */
function inWindows({ builder: b }: Layers, x: Tokens, size: number, shift: number): string {
  const { height, width, features } = x;
  const places = b.node('Reshape', [x.tensor, b.i64([-1, height, width, features])]);
  const moved = rolled(b, rolled(b, places, 1, shift, height), 2, shift, width);
  const apart = b.node('Reshape', [moved, b.i64([-1, height / size, size, width / size, size, features])]);
  const together = b.node('Transpose', [apart], { perm: [0, 1, 3, 2, 4, 5] });
  return b.node('Reshape', [together, b.i64([-1, features])]);
}

/** The way back. */
function fromWindows({ builder: b }: Layers, x: Tokens, size: number, shift: number): string {
  const { height, width, features } = x;
  const apart = b.node('Reshape', [x.tensor, b.i64([-1, height / size, width / size, size, size, features])]);
  const together = b.node('Transpose', [apart], { perm: [0, 1, 3, 2, 4, 5] });
  const places = b.node('Reshape', [together, b.i64([-1, height, width, features])]);
  const back = (tensor: string, axis: number, length: number): string =>
    shift === 0 ? tensor : rolled(b, tensor, axis, length - shift, length);
  return b.node('Reshape', [back(back(places, 1, height), 2, width), b.i64([-1, features])]);
}

/** The first `shift` elements along an axis go to its end. */
function rolled(b: Layers['builder'], tensor: string, axis: number, shift: number, length: number): string {
  if (shift === 0) return tensor;
  const parts = b.nodes(
    'Split',
    [tensor, b.i64([shift, length - shift])],
    { axis },
    ['first', 'rest'].map((part) => b.fresh(`rolled.${part}`)),
  );
  return b.node('Concat', [...parts].reverse(), { axis });
}

/** [heads, length, length]: one learnt number per head and offset between two tokens of a window. */
function offsetBias(layers: Layers, name: string, { heads, size }: Windows): string {
  const { builder: b } = layers;
  const span = 2 * size - 1;
  const table = layers.table(`${name}.relative_position_bias_table`, [span ** 2, heads]);
  const places = Array.from({ length: size ** 2 }, (_, i) => [Math.floor(i / size), i % size]);
  const offsets = places.flatMap(([y, x]) =>
    places.map(([otherY, otherX]) => (y - otherY + size - 1) * span + (x - otherX + size - 1)),
  );
  const index = b.constant(tensorI64(offsets, [size ** 2, size ** 2]));
  return b.node('Transpose', [b.node('Gather', [table, index], { axis: 0 })], { perm: [2, 0, 1] });
}

/** [windows, 1, length, length]: {@link APART} between tokens that only the wrapping brought together. */
function edgeMask({ height, width }: Tokens, { size, shift }: Windows) {
  /** Which of the three strips along an axis a moved place lies in: whole windows, and the two parts of the last. */
  const strip = (at: number, length: number): number =>
    at < length - size ? 0 : at < length - shift ? 1 : 2;
  const data: number[] = [];
  for (let top = 0; top < height; top += size)
    for (let left = 0; left < width; left += size) {
      const region = Array.from({ length: size ** 2 }, (_, i) => {
        const [y, x] = [top + Math.floor(i / size), left + (i % size)];
        return 3 * strip(y, height) + strip(x, width);
      });
      for (const one of region) for (const other of region) data.push(one === other ? 0 : APART);
    }
  return tensorF32([(height / size) * (width / size), 1, size ** 2, size ** 2], data);
}
