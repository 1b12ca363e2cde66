/** Whether an execution provider computes here, found out by letting it: a library that loads may still have no device. */
import { GraphBuilder, modelOf, tensorF32 } from '@facet/onnx';
import type { Provider } from '../settings.js';
import { f32, Session } from './sessions.js';

const SIDE = 8;
/** Of single precision; tensor cores that round to ten bits stay within. */
const TOLERANCE = 1e-2;

/** Sums of 3x3 windows of ones: 9 inside, less at the edges. */
function windows() {
  const b = new GraphBuilder();
  b.input('x', 'float32', ['N', 1, SIDE, SIDE]);
  const kernel = b.constant(tensorF32([1, 1, 3, 3], new Array<number>(9).fill(1)));
  b.node('Relu', [b.node('Conv', ['x', kernel], { pads: [1, 1, 1, 1] })], {}, 'y');
  b.output('y', 'float32', ['N', 1, SIDE, SIDE]);
  return modelOf(b.build('windows'));
}

/** Errors: what is in the way of the provider. */
export async function probe(provider: Provider): Promise<undefined> {
  const session = await Session.open(windows(), 'constant', { provider });
  try {
    const x = f32([1, 1, SIDE, SIDE], new Float32Array(SIDE * SIDE).fill(1));
    const { y } = await session.run({ x });
    const [corner, inside] = [y[0], y[SIDE + 1]];
    if (Math.abs(corner - 4) > TOLERANCE || Math.abs(inside - 9) > TOLERANCE)
      throw new Error(`it computes ${corner} and ${inside} where 4 and 9 are right`);
    return undefined;
  } finally {
    await session.close();
  }
}
