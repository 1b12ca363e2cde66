/**
 * Turns what lies under 1e-30 to zero, in one pass over a tensor in [0, 1], and leaves the rest as it is: 1e-30 is
 * less than half a last place of anything above 1e-22.
 */
import { float, type AttributeInput } from '../builder.js';
import type { Node } from '../graph.js';

const NOTHING = 1e-30;

export const FLUSH: { readonly op: string; readonly attributes: Readonly<Record<string, AttributeInput>> } = {
  op: 'HardSigmoid',
  attributes: { alpha: float(1), beta: float(-NOTHING) },
};

/** Whether a node does that, and so passes its gradient on. */
export function flushes(node: Node): boolean {
  const { alpha, beta } = node.attributes;
  return (
    node.op === FLUSH.op &&
    alpha?.kind === 'float' &&
    alpha.value === 1 &&
    beta?.kind === 'float' &&
    Math.abs(beta.value) <= 2 * NOTHING
  );
}
