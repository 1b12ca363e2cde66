/** The smallest network of each torchvision family that has every building block of the family in it. */
import { type Model, tensorF32 } from '@facet/onnx';
import { Exported } from './exported.fixture.js';

type Family = (e: Exported, pixels: string) => string;

const vgg: Family = (e, pixels) => {
  const first = e.pool('MaxPool', e.relu(e.conv(pixels, 3, 6, { kernel: 3 })), 2, 2);
  const second = e.pool('MaxPool', e.relu(e.conv(first, 6, 8, { kernel: 3 })), 2, 2);
  const flat = e.b.node('Flatten', [second], { axis: 1 });
  const weights = [e.weight([12, 128], 0.1), e.weight([12], 0.1)];
  const hidden = e.relu(e.b.node('Gemm', [flat, ...weights], { transB: 1 }));
  return e.head(e.b.node('Dropout', [hidden]), 12);
};

function residual(e: Exported, x: string, from: number, to: number, stride: number): string {
  const narrow = e.convNormRelu(x, from, to / 2);
  const spatial = e.convNormRelu(narrow, to / 2, to / 2, { kernel: 3, stride });
  const branch = e.norm(e.conv(spatial, to / 2, to), to);
  const skip = from === to ? x : e.norm(e.conv(x, from, to, { stride }), to);
  return e.relu(e.b.node('Add', [branch, skip]));
}

const resnet: Family = (e, pixels) => {
  const stem = e.convNormRelu(pixels, 3, 6, { kernel: 7, stride: 2 });
  const pooled = e.pool('MaxPool', stem, 3, 2, 1);
  const first = residual(e, pooled, 6, 8, 1);
  return e.pooledHead(residual(e, residual(e, first, 8, 8, 1), 8, 12, 2), 12);
};

function dense(e: Exported, x: string, from: number, growth: number): string {
  const narrow = e.conv(e.relu(e.norm(x, from)), from, 2 * growth);
  const wide = e.conv(e.relu(e.norm(narrow, 2 * growth)), 2 * growth, growth, { kernel: 3 });
  return e.b.node('Concat', [x, wide], { axis: 1 });
}

const densenet: Family = (e, pixels) => {
  const stem = e.convNormRelu(pixels, 3, 4, { kernel: 3, stride: 2 });
  const block = dense(e, dense(e, stem, 4, 3), 7, 3);
  const transition = e.pool('AveragePool', e.conv(e.relu(e.norm(block, 10)), 10, 5), 2, 2);
  return e.pooledHead(e.relu(e.norm(dense(e, transition, 5, 3), 8)), 8);
};

interface Inverted {
  readonly from: number;
  readonly to: number;
  readonly kernel: number;
  readonly stride: number;
  readonly activation: (x: string) => string;
  /** Squeeze and excitation (Hu et al., 2018), with what it squeezes into 0 to 1. */
  readonly gate?: 'Sigmoid' | 'HardSigmoid';
}

function inverted(e: Exported, x: string, { from, to, kernel, stride, activation, gate }: Inverted): string {
  const wide = 2 * from;
  const grown = activation(e.norm(e.conv(x, from, wide), wide));
  const spatial = activation(e.norm(e.conv(grown, wide, wide, { kernel, stride, groups: wide }), wide));
  const excited = (): string => {
    const squeezed = e.conv(e.b.node('GlobalAveragePool', [spatial]), wide, 3);
    const grownAgain = e.conv(gate === 'HardSigmoid' ? e.relu(squeezed) : e.silu(squeezed), 3, wide);
    return e.b.node('Mul', [e.b.node(gate!, [grownAgain]), spatial]);
  };
  const narrow = e.norm(e.conv(gate === undefined ? spatial : excited(), wide, to), to);
  return from === to && stride === 1 ? e.b.node('Add', [x, narrow]) : narrow;
}

const mobile =
  (kernel: number, activation: (e: Exported, x: string) => string, gate?: Inverted['gate']): Family =>
  (e, pixels) => {
    const active = (x: string): string => activation(e, x);
    const stem = active(e.norm(e.conv(pixels, 3, 4, { kernel: 3, stride: 2 }), 4));
    const options = { kernel, activation: active, ...(gate && { gate }) };
    const small = inverted(e, stem, { ...options, from: 4, to: 6, stride: 2 });
    const same = inverted(e, small, { ...options, from: 6, to: 6, stride: 1 });
    return e.pooledHead(active(e.norm(e.conv(same, 6, 12), 12)), 12);
  };

const shufflenet: Family = (e, pixels) => {
  const stem = e.convNormRelu(pixels, 3, 8, { kernel: 3, stride: 2 });
  const [kept, changed] = e.b.nodes('Split', [stem, e.b.i64([4, 4])], { axis: 1 }, ['kept', 'changed']);
  const narrow = e.convNormRelu(changed, 4, 4);
  const spatial = e.norm(e.conv(narrow, 4, 4, { kernel: 3, groups: 4 }), 4);
  const joined = e.b.node('Concat', [kept, e.convNormRelu(spatial, 4, 4)], { axis: 1 });
  const apart = e.transpose(e.reshape(joined, [-1, 2, 4, 8, 8]), [0, 2, 1, 3, 4]);
  const shuffled = e.reshape(apart, [-1, 8, 8, 8]);
  const down = e.norm(e.conv(shuffled, 8, 8, { kernel: 3, stride: 2, groups: 8 }), 8);
  return e.head(e.b.node('ReduceMean', [e.convNormRelu(down, 8, 10)], { axes: [2, 3], keepdims: 0 }), 10);
};

const googlenet: Family = (e, pixels) => {
  const stem = e.pool('MaxPool', e.convNormRelu(pixels, 3, 6, { kernel: 3 }), 3, 2, 0, 1);
  const branches = [
    e.convNormRelu(stem, 6, 3),
    e.convNormRelu(e.convNormRelu(stem, 6, 4), 4, 4, { kernel: 3 }),
    e.convNormRelu(e.convNormRelu(stem, 6, 2), 2, 3, { kernel: 5 }),
    e.convNormRelu(e.pool('MaxPool', stem, 3, 1, 1, 1), 6, 2),
  ];
  return e.pooledHead(e.b.node('Concat', branches, { axis: 1 }), 12);
};

const convnext: Family = (e, pixels) => {
  const last = [0, 2, 3, 1];
  const first = [0, 3, 1, 2];
  const patches = e.conv(pixels, 3, 8, { kernel: 4, stride: 4, pad: 0 });
  const x = e.transpose(e.layerNorm(e.transpose(patches, last), 8), first);
  const spatial = e.transpose(e.conv(x, 8, 8, { kernel: 7, groups: 8 }), last);
  const mixed = e.linear(e.gelu(e.linear(e.layerNorm(spatial, 8), 8, 16)), 16, 8);
  const scaled = e.b.node('Mul', [e.transpose(mixed, first), e.weight([8, 1, 1], 0.2, 0.7)]);
  const pooled = e.b.node('GlobalAveragePool', [e.b.node('Add', [scaled, x])]);
  const normal = e.transpose(e.layerNorm(e.transpose(pooled, last), 8), first);
  return e.head(e.b.node('Flatten', [normal], { axis: 1 }), 8);
};

/** x + attention, then x + a small network of two layers, each behind a normalisation. */
function transformer(e: Exported, x: string, width: number, attend: (normal: string) => string): string {
  const attended = e.b.node('Add', [x, attend(e.layerNorm(x, width))]);
  const mixed = e.linear(e.gelu(e.linear(e.layerNorm(attended, width), width, 2 * width)), 2 * width, width);
  return e.b.node('Add', [attended, mixed]);
}

const vit: Family = (e, pixels) => {
  const [width, places] = [8, 16];
  const patches = e.conv(pixels, 3, width, { kernel: 4, stride: 4, pad: 0 });
  const tokens = e.transpose(e.reshape(patches, [0, width, places]), [0, 2, 1]);
  const batch = e.slice(e.b.node('Shape', [pixels]), 0, 0, 1);
  const one = e.b.node('Concat', [batch, e.b.i64([1, width])], { axis: 0 });
  const token = e.b.node('Expand', [e.weight([1, 1, width], 0.5), one]);
  const sequence = e.b.node('Concat', [token, tokens], { axis: 1 });
  let x = e.b.node('Add', [sequence, e.weight([1, places + 1, width], 0.3)]);
  for (let layer = 0; layer < 2; layer++)
    x = transformer(e, x, width, (normal) => e.attention(normal, { length: places + 1, width, heads: 2 }));
  return e.head(e.at(e.layerNorm(x, width), 1, 0), width);
};

const SIDE = 4;
const WINDOW = 2;
const LENGTH = WINDOW ** 2;
const WINDOWS = (SIDE / WINDOW) ** 2;

/** The first `shift` places of an axis go to its end. */
function roll(e: Exported, x: string, axis: number, shift: number): string {
  if (shift === 0) return x;
  return e.b.node('Concat', [e.slice(x, axis, shift, SIDE), e.slice(x, axis, 0, shift)], { axis });
}

/** [windows, 1, places, places]: -100 between places that met over the edge when all were rolled by one. */
function edges(): Float32Array {
  const strip = (place: number): number => (place < SIDE - WINDOW ? 0 : place < SIDE - 1 ? 1 : 2);
  const region = (window: number, place: number): number => {
    const [top, left] = [Math.floor(window / WINDOW) * WINDOW, (window % WINDOW) * WINDOW];
    return 3 * strip(top + Math.floor(place / WINDOW)) + strip(left + (place % WINDOW));
  };
  return Float32Array.from({ length: WINDOWS * LENGTH ** 2 }, (_, i) => {
    const window = Math.floor(i / LENGTH ** 2);
    const [one, other] = [Math.floor(i / LENGTH) % LENGTH, i % LENGTH];
    return region(window, one) === region(window, other) ? 0 : -100;
  });
}

/** Attention inside windows of 2 x 2, rolled by `shift`, of [N, 4, 4, width]. */
function windowed(e: Exported, x: string, width: number, shift: number): string {
  const heads = 2;
  const halves = SIDE / WINDOW;
  const rolled = [1, 2].reduce((maps, axis) => roll(e, maps, axis, shift), x);
  const apart = e.reshape(rolled, [-1, halves, WINDOW, halves, WINDOW, width]);
  const windows = e.reshape(e.transpose(apart, [0, 1, 3, 2, 4, 5]), [-1, LENGTH, width]);
  const mixed = e.attention(windows, { length: LENGTH, width, heads }, (scores) => {
    const biased = e.b.node('Add', [scores, e.weight([1, heads, LENGTH, LENGTH], 0.5)]);
    if (shift === 0) return biased;
    const mask = e.b.constant(tensorF32([1, WINDOWS, 1, LENGTH, LENGTH], edges()));
    const perImage = e.reshape(biased, [-1, WINDOWS, heads, LENGTH, LENGTH]);
    return e.reshape(e.b.node('Add', [perImage, mask]), [-1, heads, LENGTH, LENGTH]);
  });
  const together = e.reshape(mixed, [-1, halves, halves, WINDOW, WINDOW, width]);
  const maps = e.reshape(e.transpose(together, [0, 1, 3, 2, 4, 5]), [-1, SIDE, SIDE, width]);
  return [1, 2].reduce((back, axis) => roll(e, back, axis, shift === 0 ? 0 : SIDE - shift), maps);
}

const swin: Family = (e, pixels) => {
  const width = 8;
  let x = e.transpose(e.conv(pixels, 3, width, { kernel: 4, stride: 4, pad: 0 }), [0, 2, 3, 1]);
  for (const shift of [0, 1]) x = transformer(e, x, width, (normal) => windowed(e, normal, width, shift));
  return e.head(e.b.node('ReduceMean', [e.layerNorm(x, width)], { axes: [1, 2], keepdims: 0 }), width);
};

export const FAMILIES: Readonly<Record<string, Family>> = {
  vgg,
  resnet,
  densenet,
  mobilenetv2: mobile(3, (e, x) => e.relu6(x)),
  mobilenetv3: mobile(5, (e, x) => e.b.node('HardSwish', [x]), 'HardSigmoid'),
  efficientnet: mobile(5, (e, x) => e.silu(x), 'Sigmoid'),
  shufflenetv2: shufflenet,
  googlenet,
  convnext,
  swin,
  vit,
};

/** Of every network's input. */
export const IMAGE_SIDE = 16;

/** Input `pixels` [N, 3, 16, 16], output `logits` [N, 3]. */
export const familyModel = (name: string): Model => {
  const exported = new Exported();
  return exported.model(name, IMAGE_SIDE, (pixels) => FAMILIES[name](exported, pixels));
};
