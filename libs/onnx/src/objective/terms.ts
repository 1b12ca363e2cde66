/**
 * Every term's value and the gradient of its value with respect to the tensor that it stands on, both in closed
 * form. Values are [N]; gradients have the tensor's shape.
 */
import { tensorF32, type GraphBuilder } from '../builder.js';
import { ModelError } from '../errors.js';
import type { Dim, ElementType, Graph, Shapes } from '../graph.js';
import { BATCH } from './frame.js';
import { alongPositions, pooled, poolingOf, repeated, textureOf } from './pooled.js';
import type { Side, Term } from './spec.js';

/** Added to a probability before its logarithm. */
const PROBABILITY_FLOOR = 1e-6;

/** Stands for minus infinity where classes are left out of a sum of exponentials. */
const LEFT_OUT = -1e30;

export interface Seeded {
  /** The tensor that the gradient belongs to. */
  readonly tensor: string;
  readonly gradient: string;
  readonly value: string;
}

export interface TermContext {
  readonly builder: GraphBuilder;
  readonly graph: Graph;
  readonly shapes: Shapes;
  /** 1 - 2 label as float [N, 1]. */
  readonly sign: () => string;
  /** Declares an input once. */
  readonly input: (name: string, type: ElementType, dims: readonly (number | string)[]) => string;
}

export function seedTerm(c: TermContext, term: Term): Seeded {
  switch (term.kind) {
    case 'cross-entropy':
      return crossEntropy(c, term.logits, term.target);
    case 'group-margin':
      return groupMargin(c, term.logits, term.live);
    case 'logit-margin':
      return logitMargin(c, term.tensor, term.high);
    case 'probability-margin':
      return probabilityMargin(c, term.tensor, term.live);
    case 'sigmoid-margin':
      return sigmoidMargin(c, term.tensor, term.high);
    case 'map-margin':
      return mapMargin(c, term.tensor, term.high);
    case 'binary-cross-entropy':
      return binaryCrossEntropy(c, term.logits, term.target);
    case 'squared-error':
      return squaredError(c, term.tensor, term.target);
    case 'pooled-distance':
      return pooledDistance(c, term.tensor, term.target);
    case 'linear':
      return linear(c, term.tensor, term.weights, term.bias);
    case 'texture':
      return texture(c, term.tensor, term.weights, term.bias);
  }
}

/** A sample's sizes; the tensor's first axis must be the batch. */
function perSample(c: TermContext, tensor: string): number[] {
  const dims: readonly Dim[] = c.shapes.get(tensor)?.dims ?? [];
  const [batch, ...rest] = dims;
  const sizes = rest.filter((dim) => typeof dim === 'number');
  if (batch === undefined || typeof batch === 'number' || batch.perSample !== 1 || sizes.length < rest.length)
    throw new ModelError('unsupported', 'does not have the batch as its first and only open axis', tensor);
  return sizes;
}

/** The number of classes of [N, K]. */
function classes(c: TermContext, tensor: string): number {
  const sizes = perSample(c, tensor);
  if (sizes.length === 1) return sizes[0];
  throw new ModelError('unsupported', `must be [${BATCH}, classes]`, tensor);
}

/** The tensor must hold one number per sample: [N] or [N, 1]. */
function single(c: TermContext, tensor: string): void {
  const sizes = perSample(c, tensor);
  if (sizes.length > 1 || (sizes[0] ?? 1) !== 1)
    throw new ModelError('unsupported', `must be [${BATCH}] or [${BATCH}, 1]`, tensor);
}

const flat = (b: GraphBuilder, tensor: string): string => b.node('Reshape', [tensor, b.i64([-1])]);
const times = (b: GraphBuilder, a: string, other: string): string => b.node('Mul', [a, other]);

/** `sign`, or its negative where the number is high for live, in the shape of a sample's tensor of `rank` axes. */
function towardsOther(c: TermContext, high: Side, rank: number): string {
  const b = c.builder;
  const sign = high === 'spoof' ? c.sign() : b.node('Neg', [c.sign()]);
  return rank === 2 ? sign : b.node('Reshape', [sign, b.i64([-1, ...Array<number>(rank - 1).fill(1)])]);
}

function rowSum(b: GraphBuilder, tensor: string): string {
  return b.node('ReduceSum', [tensor, b.i64([1])], { keepdims: 0 });
}

function crossEntropy(c: TermContext, logits: string, target: string): Seeded {
  const b = c.builder;
  const count = classes(c, logits);
  const label = c.input(target, 'int64', [BATCH]);
  const index = b.i64(Array.from({ length: count }, (_, k) => k));
  const same = b.node('Equal', [b.node('Unsqueeze', [label, b.i64([1])]), index]);
  const hot = b.node('Cast', [same], { to: 1 });
  const log = b.node('LogSoftmax', [logits], { axis: 1 });
  return {
    tensor: logits,
    gradient: b.node('Sub', [b.node('Softmax', [logits], { axis: 1 }), hot]),
    value: b.node('Neg', [rowSum(b, times(b, hot, log))]),
  };
}

/** Masks [1, K]: `inside` for the classes of a side, `outside` for the others. */
function sideMask(count: number, live: readonly number[], side: Side, inside: number, outside: number) {
  const member = (k: number): boolean => live.includes(k) === (side === 'live');
  return tensorF32(
    [1, count],
    Array.from({ length: count }, (_, k) => (member(k) ? inside : outside)),
  );
}

function checkGroups(tensor: string, count: number, live: readonly number[]): void {
  const given = new Set(live);
  if (given.size === 0 || given.size >= count || live.some((k) => k < 0 || k >= count))
    throw new ModelError(
      'invalid',
      `[${live.join()}] of ${count} classes leaves no live or no spoof class`,
      tensor,
    );
}

function groupMargin(c: TermContext, logits: string, live: readonly number[]): Seeded {
  const b = c.builder;
  const count = classes(c, logits);
  checkGroups(logits, count, live);
  const only = (side: Side): string =>
    b.node('Add', [logits, b.constant(sideMask(count, live, side, 0, LEFT_OUT))]);
  const [spoof, alive] = [only('spoof'), only('live')];
  const total = (masked: string): string => b.node('ReduceLogSumExp', [masked, b.i64([1])], { keepdims: 1 });
  const share = (masked: string): string => b.node('Softmax', [masked], { axis: 1 });
  return {
    tensor: logits,
    gradient: times(b, b.node('Sub', [share(spoof), share(alive)]), c.sign()),
    value: flat(b, times(b, b.node('Sub', [total(spoof), total(alive)]), c.sign())),
  };
}

function logitMargin(c: TermContext, tensor: string, high: Side): Seeded {
  single(c, tensor);
  const sign = towardsOther(c, high, perSample(c, tensor).length + 1);
  return { tensor, gradient: sign, value: flat(c.builder, times(c.builder, tensor, sign)) };
}

/** The input of the node that makes `tensor`, if that is of the operator `op` over the last axis. */
function before(c: TermContext, tensor: string, op: string): string | undefined {
  const maker = c.graph.nodes.find((node) => node.outputs[0] === tensor);
  const axis = maker?.attributes['axis'];
  const last = axis?.kind !== 'int' || [1n, -1n].includes(axis.value);
  return maker?.op === op && last ? maker.inputs[0] : undefined;
}

function probabilityMargin(c: TermContext, tensor: string, live: readonly number[]): Seeded {
  const logits = before(c, tensor, 'Softmax');
  if (logits !== undefined) return groupMargin(c, logits, live);
  const b = c.builder;
  const count = classes(c, tensor);
  checkGroups(tensor, count, live);
  const sums = (['spoof', 'live'] as const).map((side) => {
    const mask = b.constant(sideMask(count, live, side, 1, 0));
    const sum = b.node('ReduceSum', [times(b, tensor, mask), b.i64([1])], { keepdims: 1 });
    return { mask, sum: b.node('Add', [sum, b.f32(PROBABILITY_FLOOR)]) };
  });
  const [spoof, alive] = sums;
  const slopes = sums.map(({ mask, sum }) => b.node('Div', [mask, sum]));
  const margin = b.node('Sub', [b.node('Log', [spoof.sum]), b.node('Log', [alive.sum])]);
  return {
    tensor,
    gradient: times(b, b.node('Sub', slopes), c.sign()),
    value: flat(b, times(b, margin, c.sign())),
  };
}

function sigmoidMargin(c: TermContext, tensor: string, high: Side): Seeded {
  const logit = before(c, tensor, 'Sigmoid');
  if (logit !== undefined) return logitMargin(c, logit, high);
  single(c, tensor);
  const b = c.builder;
  const sign = towardsOther(c, high, perSample(c, tensor).length + 1);
  const floor = b.f32(PROBABILITY_FLOOR);
  const yes = b.node('Add', [tensor, floor]);
  const no = b.node('Add', [b.node('Sub', [b.f32(1), tensor]), floor]);
  const odds = b.node('Sub', [b.node('Log', [yes]), b.node('Log', [no])]);
  const slope = b.node('Add', [b.node('Reciprocal', [yes]), b.node('Reciprocal', [no])]);
  return { tensor, gradient: times(b, slope, sign), value: flat(b, times(b, odds, sign)) };
}

function mapMargin(c: TermContext, tensor: string, high: Side): Seeded {
  const b = c.builder;
  const sizes = perSample(c, tensor);
  const count = sizes.reduce((a, size) => a * size, 1);
  const axes = b.i64(sizes.map((_, i) => i + 1));
  const sign = towardsOther(c, high, sizes.length + 1);
  const mean = sizes.length === 0 ? tensor : b.node('ReduceMean', [tensor, axes], { keepdims: 1 });
  const share = times(b, sign, b.f32(1 / count));
  return {
    tensor,
    gradient: b.node('Expand', [share, b.node('Shape', [tensor])]),
    value: flat(b, times(b, mean, sign)),
  };
}

function binaryCrossEntropy(c: TermContext, logits: string, target: string): Seeded {
  const b = c.builder;
  const count = classes(c, logits);
  const wanted = c.input(target, 'float32', [BATCH, count]);
  const each = b.node('Sub', [b.node('Softplus', [logits]), times(b, logits, wanted)]);
  const off = b.node('Sub', [b.node('Sigmoid', [logits]), wanted]);
  return {
    tensor: logits,
    gradient: times(b, off, b.f32(1 / count)),
    value: b.node('ReduceMean', [each, b.i64([1])], { keepdims: 0 }),
  };
}

function squaredError(c: TermContext, tensor: string, target: string): Seeded {
  const b = c.builder;
  const sizes = perSample(c, tensor);
  const count = sizes.reduce((a, size) => a * size, 1);
  const off = b.node('Sub', [tensor, c.input(target, 'float32', [BATCH, ...sizes])]);
  const square = times(b, off, off);
  const axes = b.i64(sizes.map((_, i) => i + 1));
  return {
    tensor,
    gradient: times(b, off, b.f32(2 / count)),
    value: sizes.length === 0 ? square : b.node('ReduceMean', [square, axes], { keepdims: 0 }),
  };
}

function pooledDistance(c: TermContext, tensor: string, target: string): Seeded {
  const b = c.builder;
  const pooling = poolingOf(c.shapes, tensor);
  const clean = c.input(target, 'float32', [BATCH, pooling.channels]);
  const off = b.node('Sub', [pooled(b, tensor, pooling), clean]);
  const slope = alongPositions(b, times(b, off, b.f32(2 / pooling.positions)), pooling);
  return { tensor, gradient: repeated(b, slope, tensor, pooling), value: rowSum(b, times(b, off, off)) };
}

function checkWeights(tensor: string, weights: Float32Array, length: number): void {
  if (weights.length !== length)
    throw new ModelError('invalid', `needs ${length} weights, there are ${weights.length}`, tensor);
}

/** sign (row sums of `weighted` + bias), as [N]. */
function signed(c: TermContext, scores: readonly string[], bias: number): string {
  const b = c.builder;
  const sum = scores.reduce((a, score) => b.node('Add', [a, score]));
  return flat(b, times(b, b.node('Add', [sum, b.f32(bias)]), c.sign()));
}

function linear(c: TermContext, tensor: string, weights: Float32Array, bias: number): Seeded {
  const b = c.builder;
  const pooling = poolingOf(c.shapes, tensor);
  const { channels, positions } = pooling;
  checkWeights(tensor, weights, channels);
  const score = b.node('MatMul', [pooled(b, tensor, pooling), b.constant(tensorF32([channels, 1], weights))]);
  const slope = tensorF32(
    [1, channels],
    weights.map((w) => w / positions),
  );
  const gradient = alongPositions(b, times(b, b.constant(slope), c.sign()), pooling);
  return { tensor, gradient: repeated(b, gradient, tensor, pooling), value: signed(c, [score], bias) };
}

/** d mean = 1 / S, d deviation = (x - mean) / (S deviation), S positions. */
function texture(c: TermContext, tensor: string, weights: Float32Array, bias: number): Seeded {
  const b = c.builder;
  const pooling = poolingOf(c.shapes, tensor);
  const { channels, positions } = pooling;
  checkWeights(tensor, weights, 2 * channels);
  const halves = [weights.slice(0, channels), weights.slice(channels)];
  const { mean, deviation, centred } = textureOf(b, tensor, pooling);
  const scores = [mean, deviation].map((statistic, i) =>
    b.node('MatMul', [statistic, b.constant(tensorF32([channels, 1], halves[i]))]),
  );
  const [level, spread] = halves.map((half) =>
    times(
      b,
      b.constant(
        tensorF32(
          [1, channels],
          half.map((w) => w / positions),
        ),
      ),
      c.sign(),
    ),
  );
  const swing = alongPositions(b, b.node('Div', [spread, deviation]), pooling);
  const gradient = b.node('Add', [times(b, centred, swing), alongPositions(b, level, pooling)]);
  return { tensor, gradient, value: signed(c, scores, bias) };
}
