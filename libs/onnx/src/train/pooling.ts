/**
 * MaxPool behind ReLU, the pair that most of a small network's activations pass through. The mask of the ReLU is
 * applied at the pooled size, where there are fewer elements: where a window's maximum is positive its source is
 * positive too, and where it is zero nothing flows.
 */
import { float } from '../builder.js';
import { RULES } from '../gradient/rules.js';
import type { Rule, RuleContext } from '../gradient/rule.js';
import { slidingOf } from '../gradient/sliding.js';
import { equalMask, repeat } from '../gradient/tensors.js';

/** Tensors whose gradient already has the mask of the ReLU that made them. */
export type Masked = Set<string>;

const general = (c: RuleContext, op: string): ReturnType<Rule> =>
  (RULES.get(op) ?? c.refuse('there is no rule'))(c);

/** @param onlyRelu whether a tensor is the output of a ReLU that nothing but one node reads */
export const maxPoolRule =
  (masked: Masked, onlyRelu: (tensor: string) => boolean): Rule =>
  (c) => {
    const [x] = c.inputs;
    const kernel = c.ints('kernel_shape') ?? [];
    const s = slidingOf(c, x, c.output, kernel);
    const sideBySide = kernel.every(
      (k, i) =>
        k === s.strides[i] && s.dilations[i] === 1 && s.begin[i] === 0 && s.counts[i] * k === s.sizes[i],
    );
    if (!sideBySide || !onlyRelu(x)) return general(c, 'MaxPool');
    const b = c.builder;
    const positive = b.node('HardSigmoid', [c.output], { alpha: float(1e30), beta: float(0) });
    const passed = b.node('Mul', [c.gradient, positive]);
    masked.add(x);
    return [b.node('Mul', [equalMask(b, x, repeat(b, c.output, kernel)), repeat(b, passed, kernel)])];
  };

export const reluRule =
  (masked: Masked): Rule =>
  (c) =>
    masked.has(c.output) ? [c.gradient] : general(c, 'Relu');
