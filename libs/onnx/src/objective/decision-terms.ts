/** Terms on a decision: logits, probabilities, or one number per sample. */
import { tensorF32 } from '../builder.js';
import { ModelError } from '../errors.js';
import { BATCH } from './frame.js';
import type { Side } from './spec.js';
import {
  classes,
  flat,
  perSample,
  rowSum,
  single,
  times,
  towardsOther,
  type Seeded,
  type TermContext,
} from './term.js';

/** Added to a probability before its logarithm. */
const PROBABILITY_FLOOR = 1e-6;

/** Stands for minus infinity where classes are left out of a sum of exponentials. */
const LEFT_OUT = -1e30;

export function crossEntropy(c: TermContext, logits: string, target: string): Seeded {
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

export function softCrossEntropy(c: TermContext, logits: string, target: string): Seeded {
  const b = c.builder;
  const wanted = c.input(target, 'float32', [BATCH, classes(c, logits)]);
  const log = b.node('LogSoftmax', [logits], { axis: 1 });
  return {
    tensor: logits,
    gradient: b.node('Sub', [b.node('Softmax', [logits], { axis: 1 }), wanted]),
    value: b.node('Neg', [rowSum(b, times(b, wanted, log))]),
  };
}

export function binaryCrossEntropy(c: TermContext, logits: string, target: string): Seeded {
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

export function groupMargin(c: TermContext, logits: string, live: readonly number[]): Seeded {
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

export function logitMargin(c: TermContext, tensor: string, high: Side): Seeded {
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

export function probabilityMargin(c: TermContext, tensor: string, live: readonly number[]): Seeded {
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

export function sigmoidMargin(c: TermContext, tensor: string, high: Side): Seeded {
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
