/** Every term's value against the definition written out in float64, and its gradient against differences of that. */
import { describe, expect, it } from 'vitest';
import { GraphBuilder, modelOf, tensorF32 } from '../builder.js';
import { noise, run, type Value } from '../gradient/differences.fixture.js';
import type { Dim } from '../graph.js';
import { inferShapes } from '../shapes/index.js';
import { compileForward, pooledName, textureName } from './forward.js';
import { compileObjective } from './objective.js';
import type { ObjectiveSpec, PixelInput, Term } from './spec.js';

const [BATCH, CHANNELS, HEIGHT, WIDTH] = [3, 3, 2, 3];
const POSITIONS = HEIGHT * WIDTH;
const LABELS = [0, 1, 1];
const CLASS_WEIGHTS = noise(12, 3).map((w) => 3 * w);
const LOGIT_WEIGHTS = [2, -1, 0.5];
const input: PixelInput = { name: 'input', scale: [2, 1.5, 1], offset: [-0.5, 0.25, 1], swapRedBlue: true };

/** input -> map = input^2 -> feature = its mean -> logits, probabilities, logit, sigmoid, shares, chance. */
const prepared = (() => {
  const b = new GraphBuilder();
  b.input('input', 'float32', ['N', CHANNELS, HEIGHT, WIDTH]);
  b.node('Mul', ['input', 'input'], {}, 'map');
  b.node('ReduceMean', ['map', b.i64([2, 3])], { keepdims: 0 }, 'feature');
  b.node('MatMul', ['feature', b.initializer('classes', tensorF32([3, 4], CLASS_WEIGHTS))], {}, 'logits');
  b.node('Softmax', ['logits'], { axis: 1 }, 'probabilities');
  b.node('MatMul', ['feature', b.initializer('single', tensorF32([3, 1], LOGIT_WEIGHTS))], {}, 'logit');
  b.node('Sigmoid', ['logit'], {}, 'sigmoid');
  const total = b.node('ReduceSum', ['feature', b.i64([1])], { keepdims: 1 });
  b.node('Div', ['feature', total], {}, 'shares');
  b.node('ReduceMean', ['shares', b.i64([1])], { keepdims: 0 }, 'third');
  b.node('Slice', ['shares', b.i64([0]), b.i64([1]), b.i64([1])], {}, 'chance');
  const flat = b.node('Reshape', ['map', b.i64([0, CHANNELS, POSITIONS])]);
  b.node('Transpose', [flat], { perm: [0, 2, 1] }, 'tokens');
  const graph = b.build('small');
  const dims: readonly Dim[] = [{ perSample: 1 }, CHANNELS, HEIGHT, WIDTH];
  return { model: modelOf(graph), shapes: inferShapes(graph, new Map([['input', dims]])) };
})();

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;
const logSumExp = (values: readonly number[]): number => Math.log(sum(values.map(Math.exp)));
const dot = (a: ArrayLike<number>, b: readonly number[]): number => sum(b.map((v, i) => v * a[i]));

/** The tensors of one sample, from its pixels. */
function tensors(pixels: readonly number[]) {
  const planes = [2, 1, 0].map((source, channel) =>
    pixels
      .slice(source * POSITIONS, (source + 1) * POSITIONS)
      .map((p) => (p * input.scale[channel] + input.offset[channel]) ** 2),
  );
  const feature = planes.map(mean);
  const logits = [0, 1, 2, 3].map((k) => sum(feature.map((f, i) => f * CLASS_WEIGHTS[4 * i + k])));
  const deviations = planes.map((plane, i) =>
    Math.sqrt(mean(plane.map((v) => (v - feature[i]) ** 2)) + 1e-5),
  );
  return { planes, feature, logits, deviations, logit: dot(LOGIT_WEIGHTS, feature) };
}

const MULTI_LABEL = Float32Array.from({ length: BATCH * 4 }, (_, i) => i % 2);
const TARGET_MAP = noise(BATCH * CHANNELS * POSITIONS, 5);
const CLEAN = noise(BATCH * CHANNELS, 6);
const STATISTIC = noise(2 * BATCH * CHANNELS, 7);
const CLASSES = [2, 0, 3];
const [DIRECTION, TEXTURE] = [noise(3, 8), noise(6, 9)];
const targets = {
  classes: { dims: [BATCH], data: BigInt64Array.from(CLASSES, BigInt) },
  attributes: { dims: [BATCH, 4], data: MULTI_LABEL },
  depth: { dims: [BATCH, CHANNELS, HEIGHT, WIDTH], data: TARGET_MAP },
  clean: { dims: [BATCH, CHANNELS], data: CLEAN },
  statistic: { dims: [BATCH, 2 * CHANNELS], data: STATISTIC },
};

type Reference = (sample: ReturnType<typeof tensors>, at: number, sign: number) => number;
const FLOOR = 1e-6;
const margin = (logits: readonly number[], sign: number): number =>
  sign * (logSumExp(logits.filter((_, k) => ![0, 2].includes(k))) - logSumExp([logits[0], logits[2]]));

const TERMS: readonly (readonly [name: string, term: Term, reference: Reference])[] = [
  [
    'cross-entropy',
    { kind: 'cross-entropy', logits: 'logits', target: 'classes' },
    ({ logits }, at) => logSumExp(logits) - logits[CLASSES[at]],
  ],
  [
    'cross-entropy of the label',
    { kind: 'cross-entropy', logits: 'logits', target: 'label' },
    ({ logits }, at) => logSumExp(logits) - logits[LABELS[at]],
  ],
  [
    'group-margin',
    { kind: 'group-margin', logits: 'logits', live: [0, 2] },
    ({ logits }, _, sign) => margin(logits, sign),
  ],
  [
    'probability-margin behind a Softmax',
    { kind: 'probability-margin', tensor: 'probabilities', live: [0, 2] },
    ({ logits }, _, sign) => margin(logits, sign),
  ],
  [
    'probability-margin of bare probabilities',
    { kind: 'probability-margin', tensor: 'shares', live: [1] },
    ({ feature }, _, sign) => {
      const shares = feature.map((f) => f / sum(feature));
      return sign * (Math.log(shares[0] + shares[2] + FLOOR) - Math.log(shares[1] + FLOOR));
    },
  ],
  [
    'logit-margin, high for spoof',
    { kind: 'logit-margin', tensor: 'logit', high: 'spoof' },
    ({ logit }, _, sign) => sign * logit,
  ],
  [
    'logit-margin of [N], high for live',
    { kind: 'logit-margin', tensor: 'third', high: 'live' },
    (_sample, _, sign) => -sign / 3,
  ],
  [
    'sigmoid-margin behind a Sigmoid',
    { kind: 'sigmoid-margin', tensor: 'sigmoid', high: 'live' },
    ({ logit }, _, sign) => -sign * logit,
  ],
  [
    'sigmoid-margin of a bare probability',
    { kind: 'sigmoid-margin', tensor: 'chance', high: 'spoof' },
    ({ feature }, _, sign) => {
      const chance = feature[0] / sum(feature);
      return sign * (Math.log(chance + FLOOR) - Math.log(1 - chance + FLOOR));
    },
  ],
  [
    'map-margin',
    { kind: 'map-margin', tensor: 'map', high: 'live' },
    ({ planes }, _, sign) => -sign * mean(planes.flat()),
  ],
  [
    'binary-cross-entropy',
    { kind: 'binary-cross-entropy', logits: 'logits', target: 'attributes' },
    ({ logits }, at) => mean(logits.map((z, k) => Math.log(1 + Math.exp(z)) - z * MULTI_LABEL[4 * at + k])),
  ],
  [
    'squared-error',
    { kind: 'squared-error', tensor: 'map', target: 'depth' },
    ({ planes }, at) =>
      mean(planes.flat().map((v, i) => (v - TARGET_MAP[at * CHANNELS * POSITIONS + i]) ** 2)),
  ],
  [
    'pooled-distance',
    { kind: 'pooled-distance', tensor: 'map', target: 'clean' },
    ({ feature }, at) => sum(feature.map((f, i) => (f - CLEAN[at * CHANNELS + i]) ** 2)),
  ],
  ...['map', 'tokens', 'feature'].map((tensor): readonly [string, Term, Reference] => [
    `linear on ${tensor}`,
    { kind: 'linear', tensor, weights: DIRECTION, bias: 0.3 },
    ({ feature }, _, sign) => sign * (dot(DIRECTION, feature) + 0.3),
  ]),
  ...['map', 'tokens'].map((tensor): readonly [string, Term, Reference] => [
    `texture on ${tensor}`,
    { kind: 'texture', tensor, weights: TEXTURE, bias: -0.2 },
    ({ feature, deviations }, _, sign) => sign * (dot(TEXTURE, [...feature, ...deviations]) - 0.2),
  ]),
  ...['map', 'tokens', 'feature'].map((tensor): readonly [string, Term, Reference] => [
    `a projection of ${tensor}`,
    { kind: 'projection', tensor, target: 'clean' },
    ({ feature }, at, sign) => sign * dot(CLEAN.slice(at * CHANNELS, (at + 1) * CHANNELS), feature),
  ]),
  ...['map', 'tokens'].map((tensor): readonly [string, Term, Reference] => [
    `a projection of the texture of ${tensor}`,
    { kind: 'texture-projection', tensor, target: 'statistic' },
    ({ feature, deviations }, at, sign) =>
      sign * dot(STATISTIC.slice(2 * at * CHANNELS, 2 * (at + 1) * CHANNELS), [...feature, ...deviations]),
  ]),
];

const SAMPLE = CHANNELS * POSITIONS;
const PIXELS = noise(BATCH * SAMPLE, 21).map((v) => 0.5 + 0.45 * v);
const samples = LABELS.map((_, at) => [...PIXELS.slice(at * SAMPLE, (at + 1) * SAMPLE)]);
const feeds = {
  pixels: { dims: [BATCH, CHANNELS, HEIGHT, WIDTH], data: PIXELS },
  label: { dims: [BATCH], data: BigInt64Array.from(LABELS, BigInt) },
};

async function evaluate(spec: ObjectiveSpec): Promise<Record<string, Value>> {
  const model = compileObjective(prepared, spec);
  const wanted = model.graph.inputs.map(({ name }) => name);
  const all = { ...feeds, ...targets };
  return run(model, Object.fromEntries(Object.entries(all).filter(([name]) => wanted.includes(name))));
}

/** Value and pixel gradient of one sample's term, in float64. */
function expected(reference: Reference, at: number): { value: number; gradient: number[] } {
  const f = (pixels: readonly number[]): number => reference(tensors(pixels), at, 1 - 2 * LABELS[at]);
  const pixels = samples[at];
  const gradient = pixels.map((p, i) => (f(pixels.with(i, p + 1e-5)) - f(pixels.with(i, p - 1e-5))) / 2e-5);
  return { value: f(pixels), gradient };
}

describe('the term', () => {
  it.each(TERMS)('%s', async (_, term, reference) => {
    const { value, gradient } = await evaluate({ input, terms: [{ term, weight: 1 }] });
    expect(value.dims).toEqual([BATCH]);
    expect(gradient.dims).toEqual([BATCH, CHANNELS, HEIGHT, WIDTH]);
    LABELS.forEach((_label, at) => {
      const wanted = expected(reference, at);
      expect(value.data[at]).toBeCloseTo(wanted.value, 4);
      wanted.gradient.forEach((g, i) => expect(gradient.data[at * SAMPLE + i]).toBeCloseTo(g, 4));
    });
  });
});

describe('log(1 + exp) of a term', () => {
  const logistic: Reference = (sample, _, sign) => Math.log1p(Math.exp(margin(sample.logits, sign)));

  it('is the cross-entropy of live against spoof, where the term is their margin', async () => {
    const term: Term = { kind: 'group-margin', logits: 'logits', live: [0, 2] };
    const { value, gradient } = await evaluate({ input, terms: [{ term, weight: 1, logistic: true }] });
    LABELS.forEach((label, at) => {
      const wanted = expected(logistic, at);
      const { logits } = tensors(samples[at]);
      const own = label === 0 ? [logits[0], logits[2]] : [logits[1], logits[3]];
      expect(wanted.value).toBeCloseTo(logSumExp(logits) - logSumExp(own), 10);
      expect(value.data[at]).toBeCloseTo(wanted.value, 4);
      wanted.gradient.forEach((g, i) => expect(gradient.data[at * SAMPLE + i]).toBeCloseTo(g, 4));
    });
  });
});

describe('the decision', () => {
  it('comes out beside the gradient, and a tensor of that name is no trouble', async () => {
    const term: Term = { kind: 'logit-margin', tensor: 'logit', high: 'spoof' };
    const { decision } = await evaluate({ input, terms: [{ term, weight: 1 }], decision: 'logits' });
    LABELS.forEach((_, at) =>
      tensors(samples[at]).logits.forEach((z, k) => expect(decision.data[4 * at + k]).toBeCloseTo(z, 4)),
    );
    const b = new GraphBuilder();
    b.input('input', 'float32', ['N', CHANNELS, HEIGHT, WIDTH]);
    b.node('ReduceMean', ['input', b.i64([1, 2, 3])], { keepdims: 0 }, 'decision');
    const graph = b.build('named');
    const dims: readonly Dim[] = [{ perSample: 1 }, CHANNELS, HEIGHT, WIDTH];
    const named = { model: modelOf(graph), shapes: inferShapes(graph, new Map([['input', dims]])) };
    const model = compileObjective(named, {
      input,
      terms: [{ term: { kind: 'logit-margin', tensor: 'decision', high: 'spoof' }, weight: 1 }],
      decision: 'decision',
    });
    expect(model.graph.outputs.map(({ name }) => name)).toEqual(['gradient', 'value', 'decision']);
  });
});

/** input -> a convolution of constant weights, which the runtime likes to put what follows into -> logit. */
const convolved = (() => {
  const b = new GraphBuilder();
  b.input('input', 'float32', ['N', CHANNELS, HEIGHT, WIDTH]);
  const weights = b.initializer('kernel', tensorF32([2, CHANNELS, 3, 3], noise(2 * CHANNELS * 9, 4)));
  const map = b.node('Conv', ['input', weights], { pads: [1, 1, 1, 1] });
  b.node('ReduceMean', [b.node('Relu', [map]), b.i64([1, 2, 3])], { keepdims: 0 }, 'mean');
  b.node('Reshape', ['mean', b.i64([-1, 1])], {}, 'logit');
  const graph = b.build('convolved');
  const dims: readonly Dim[] = [{ perSample: 1 }, CHANNELS, HEIGHT, WIDTH];
  return { model: modelOf(graph), shapes: inferShapes(graph, new Map([['input', dims]])) };
})();

describe.each([
  ['a square', prepared, [-1, 0, 1]],
  ['a convolution', convolved, [-1, 1]],
] as const)('a step on %s', (_, prepared, signs) => {
  const term: Term = { kind: 'logit-margin', tensor: 'logit', high: 'live' };
  /** Nothing is moved, so the input's square has no slope where a pixel is 0. */
  const input: PixelInput = { name: 'input', scale: [1, 1, 1], offset: [0, 0, 0], swapRedBlue: false };
  const dims = [BATCH, CHANNELS, HEIGHT, WIDTH];

  it('goes by the signs of the gradient, each value as float32 has it, and ends between its bounds', async () => {
    const pixels = Float32Array.from({ length: BATCH * SAMPLE }, (_, i) => (i % 5 === 0 ? 0 : (i % 7) / 7));
    // Its gradient is not zero, and 1e38 times that is below every length.
    pixels[1] = 1e-44;
    const [low, high] = [pixels.map((p) => Math.max(0, p - 0.02)), pixels.map((p) => Math.min(1, p + 0.03))];
    const feeds = {
      pixels: { dims, data: pixels },
      label: { dims: [BATCH], data: BigInt64Array.from(LABELS, BigInt) },
    };
    const objective = { input, terms: [{ term, weight: 1 }] };
    const { gradient, value } = await run(compileObjective(prepared, objective), feeds);
    for (const length of [0.01, 0.025, 0.5]) {
      const { next, value: same } = await run(compileObjective(prepared, { ...objective, step: true }), {
        ...feeds,
        low: { dims, data: low },
        high: { dims, data: high },
        length: { dims: [], data: Float32Array.of(length) },
      });
      const expected = pixels.map((p, i) => {
        const moved = Math.fround(p + Math.fround(length) * Math.sign((gradient.data as Float32Array)[i]));
        return Math.min(high[i], Math.max(low[i], moved));
      });
      expect(next.data).toEqual(expected);
      expect(same).toEqual(value);
    }
    const seen = new Set(Array.from(gradient.data as Float32Array, (slope) => Math.sign(slope) + 0));
    expect([...seen].sort((a, b) => a - b)).toEqual(signs);
  });
});

describe('several terms', () => {
  const chosen = TERMS.filter(([name]) =>
    ['cross-entropy', 'linear on map', 'texture on map'].includes(name),
  );
  const weights = [1, 2, 0.5];
  const terms = chosen.map(([, term], i) => ({ term, weight: weights[i] }));

  it('add up with their weights', async () => {
    const { value, gradient } = await evaluate({ input, terms });
    LABELS.forEach((_, at) => {
      const parts = chosen.map(([, , reference]) => expected(reference, at));
      expect(value.data[at]).toBeCloseTo(sum(parts.map((p, i) => weights[i] * p.value)), 4);
      samples[at].forEach((_pixel, i) =>
        expect(gradient.data[at * SAMPLE + i]).toBeCloseTo(
          sum(parts.map((p, k) => weights[k] * p.gradient[i])),
          4,
        ),
      );
    });
  });

  it('count by their direction at the tensor where they are normalised', async () => {
    // At the model's input every pixel has a known slope, so gradients there follow from those in pixels.
    const { value, gradient } = await evaluate({ input, terms, normaliseAt: 'map' });
    LABELS.forEach((_, at) => {
      const slope = (i: number): number => {
        const source = Math.floor(i / POSITIONS);
        const channel = 2 - source;
        return 2 * (samples[at][i] * input.scale[channel] + input.offset[channel]) * input.scale[channel];
      };
      const parts = chosen.map(([, , reference]) => expected(reference, at));
      const norms = parts.map((p) => Math.hypot(...p.gradient.map((g, i) => g / slope(i))));
      samples[at].forEach((_pixel, i) =>
        expect(gradient.data[at * SAMPLE + i]).toBeCloseTo(
          sum(parts.map((p, k) => (weights[k] * p.gradient[i]) / norms[k])),
          3,
        ),
      );
      expect(value.data[at]).toBeCloseTo(sum(parts.map((p, i) => weights[i] * p.value)), 4);
    });
  });
});

describe('an objective is refused', () => {
  const linear = (tensor: string, count = 3): Term => ({
    kind: 'linear',
    tensor,
    weights: new Float32Array(count),
    bias: 0,
  });
  const compile = (term: Term, normaliseAt?: string): unknown =>
    compileObjective(prepared, { input, terms: [{ term, weight: 1 }], normaliseAt });

  it('where a tensor is not in the model', () => {
    expect(() => compile(linear('nothing'))).toThrow(/nothing: is not a tensor of the model/);
  });
  it('where weights do not fit', () => {
    expect(() => compile(linear('feature', 5))).toThrow(/needs 3 weights, there are 5/);
  });
  it('where a term does not pass through the tensor where it is normalised', () => {
    expect(() => compile(linear('map'), 'feature')).toThrow(/map: .*through "feature" alone/);
  });
  it('where classes leave one side empty', () => {
    expect(() => compile({ kind: 'group-margin', logits: 'logits', live: [0, 1, 2, 3] })).toThrow(/no spoof/);
  });
  it('where the input is another', () => {
    const spec = { input: { ...input, name: 'logits' }, terms: [{ term: linear('map'), weight: 1 }] };
    expect(() => compileObjective(prepared, spec)).toThrow(/not an input/);
  });
});

describe('the compiled graph', () => {
  it('leaves out what the objective does not need', () => {
    const term = TERMS.find(([name]) => name === 'linear on map')![1];
    const { graph } = compileObjective(prepared, { input, terms: [{ term, weight: 1 }] });
    expect(graph.nodes.flatMap((node) => node.outputs)).not.toContain('logits');
    expect([...graph.initializers.keys()]).not.toContain('classes');
    expect(graph.inputs.map(({ name }) => name)).toEqual(['pixels', 'label']);
  });

  it('keeps apart a model whose own tensors have its names', async () => {
    const b = new GraphBuilder();
    b.input('pixels', 'float32', ['N', 3, 2, 3]);
    b.node('Mul', ['pixels', b.f32(2)], {}, 'value');
    const graph = b.build('named');
    const dims: readonly Dim[] = [{ perSample: 1 }, 3, 2, 3];
    const own = { model: modelOf(graph), shapes: inferShapes(graph, new Map([['pixels', dims]])) };
    const term: Term = { kind: 'map-margin', tensor: 'value', high: 'spoof' };
    const plain: PixelInput = { name: 'pixels', scale: [1, 1, 1], offset: [0, 0, 0], swapRedBlue: false };
    const result = await run(compileObjective(own, { input: plain, terms: [{ term, weight: 1 }] }), feeds);
    expect(result['value'].data[0]).toBeCloseTo(2 * mean(samples[0]), 5);
    expect(result['gradient'].data[0]).toBeCloseTo(2 / SAMPLE, 6);
  });

  it('gives features, texture and outputs from pixels', async () => {
    const model = compileForward(prepared, {
      input,
      outputs: ['logits'],
      pooled: ['map', 'tokens', 'feature'],
      texture: 'map',
    });
    const result = await run(model, { pixels: feeds.pixels });
    const known = samples.map(tensors);
    const close = (name: string, values: readonly number[]): void =>
      values.forEach((v, i) => expect(result[name].data[i]).toBeCloseTo(v, 4));
    close(
      'logits',
      known.flatMap(({ logits }) => logits),
    );
    for (const name of ['map', 'tokens', 'feature'])
      close(
        pooledName(name),
        known.flatMap(({ feature }) => feature),
      );
    close(
      textureName('map'),
      known.flatMap(({ feature, deviations }) => [...feature, ...deviations]),
    );
    expect(result[textureName('map')].dims).toEqual([BATCH, 6]);
  });
});
