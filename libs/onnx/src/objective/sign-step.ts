/**
 * A step of an L-infinity attack as a part of the graph that its gradient comes from. Outside, signs and bounds cost a
 * quarter of a small network's gradient; here they cost a twentieth, and the gradient itself never leaves the runtime.
 */
import type { GraphBuilder } from '../builder.js';
import type { ValueInfo } from '../graph.js';

/** Its square takes the smallest float32 that is not zero beyond every length. */
const HUGE = 1e38;

/**
 * The pixels moved by `length` along the gradient's signs, not at all where that is zero, then brought between `low` and
 * `high`: inputs float32 of the image's shape, and `length` float32 []. Each operation is rounded to float32.
 */
export function signStep(b: GraphBuilder, gradient: string, image: ValueInfo['dims']): string {
  const length = b.input('length', 'float32', []);
  const [low, high] = [b.input('low', 'float32', image), b.input('high', 'float32', image)];
  // Sign and a product with the length take longer.
  // A constant would be multiplied into the weights of the convolution that gives the gradient, and overflow there.
  const huge = b.node('Max', [length, b.f32(HUGE)]);
  const beyond = b.node('Mul', [b.node('Mul', [gradient, huge]), huge]);
  const move = b.node('Clip', [beyond, b.node('Neg', [length]), length]);
  return b.node('Min', [b.node('Max', [b.node('Add', ['pixels', move]), low]), high]);
}
