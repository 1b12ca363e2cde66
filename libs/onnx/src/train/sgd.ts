/**
 * Stochastic gradient descent with momentum and weight decay, as PyTorch defines it
 * (https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html, dampening 0, no Nesterov):
 * m = momentum m + g + decay w, then w = w - rate m.
 */
import type { GraphBuilder } from '../builder.js';
import { LEARNING_RATE, momentumOf, nextOf, type OptimiserSpec } from './spec.js';

/** Appends the update of one weight; its momentum becomes an input, both next values become outputs. */
export function appendUpdate(
  b: GraphBuilder,
  weight: { readonly name: string; readonly dims: readonly number[]; readonly decays: boolean },
  gradient: string,
  optimiser: OptimiserSpec,
): void {
  const { name, dims } = weight;
  const momentum = b.input(momentumOf(name), 'float32', dims);
  const decay = weight.decays && optimiser.weightDecay > 0;
  const pull = decay
    ? b.node('Add', [gradient, b.node('Mul', [name, b.f32(optimiser.weightDecay)])])
    : gradient;
  const next = b.node(
    'Add',
    [b.node('Mul', [momentum, b.f32(optimiser.momentum)]), pull],
    {},
    nextOf(momentum),
  );
  b.output(next, 'float32', dims);
  const moved = b.node('Sub', [name, b.node('Mul', [next, LEARNING_RATE])], {}, nextOf(name));
  b.output(moved, 'float32', dims);
}
