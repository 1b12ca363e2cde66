// Large maps' weight gradients, which are multiplied sample by sample; small ones stand in compile.test.ts.
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { GraphBuilder, modelOf, tensorF32 } from '../builder.js';
import { writeModel } from '../file/index.js';
import { noise } from './cases.fixture.js';
import { compileTraining } from './compile.js';
import { gradientOf } from './spec.js';

const N = 2;
const SIZE = 32;
const FILTERS = 3;

interface Window {
  readonly channels: number;
  readonly kernel: number;
  readonly pad: number;
  readonly dilation: number;
}

/** [n, c, y, x] of a map [N, channels, size, size], 0 outside. */
const at = (map: Float32Array, channels: number, size: number, [n, c, y, x]: readonly number[]): number =>
  y < 0 || x < 0 || y >= size || x >= size ? 0 : map[((n * channels + c) * size + y) * size + x];

/** The gradient of the mean squared error of a convolution's output to zero, by loops in float64. */
function byLoops(x: Float32Array, y: Float32Array, size: number, window: Window): Float64Array {
  const { channels, kernel, pad, dilation } = window;
  const gradient = new Float64Array(FILTERS * channels * kernel ** 2);
  const share = 2 / (N * FILTERS * size ** 2);
  for (let i = 0; i < gradient.length; i++) {
    const [kx, ky] = [i % kernel, Math.floor(i / kernel) % kernel];
    const c = Math.floor(i / kernel ** 2) % channels;
    const o = Math.floor(i / kernel ** 2 / channels);
    for (let n = 0; n < N; n++)
      for (let py = 0; py < size; py++)
        for (let px = 0; px < size; px++) {
          const place = [n, c, py + ky * dilation - pad, px + kx * dilation - pad];
          gradient[i] += share * at(y, FILTERS, size, [n, o, py, px]) * at(x, channels, SIZE, place);
        }
  }
  return gradient;
}

it.each<Window & { readonly name: string }>([
  { name: 'wide', channels: 16, kernel: 3, pad: 1, dilation: 1 },
  { name: 'narrow', channels: 2, kernel: 3, pad: 1, dilation: 1 },
  { name: 'dilated', channels: 16, kernel: 3, pad: 2, dilation: 2 },
  { name: 'of one place', channels: 16, kernel: 1, pad: 0, dilation: 1 },
])('is the sum over all places: $name', async (window) => {
  const { channels, kernel, pad, dilation } = window;
  const b = new GraphBuilder();
  b.input('x', 'float32', ['N', channels, SIZE, SIZE]);
  const dims = [FILTERS, channels, kernel, kernel];
  const weight = noise(
    dims.reduce((product, n) => product * n, 1),
    3,
  );
  b.initializer('w', tensorF32(dims, weight));
  const attributes = {
    pads: [pad, pad, pad, pad],
    dilations: [dilation, dilation],
    kernel_shape: [kernel, kernel],
  };
  b.node('Conv', ['x', 'w'], attributes, 'y');
  b.output('y', 'float32', ['N', FILTERS, SIZE, SIZE]);
  const loss = {
    name: 'l',
    kind: 'mean-squared-error',
    output: 'y',
    target: 't',
    mask: 'm',
    weight: 1,
  } as const;
  const spec = { input: 'x', channels, height: SIZE, width: SIZE, losses: [loss] };
  const step = compileTraining(modelOf(b.build('convolution')), spec);

  const x = noise(N * channels * SIZE ** 2, 4);
  const feeds = {
    x: new OrtTensor('float32', x, [N, channels, SIZE, SIZE]),
    w: new OrtTensor('float32', weight, dims),
    t: new OrtTensor('float32', new Float32Array(N * FILTERS * SIZE ** 2), [N, FILTERS, SIZE, SIZE]),
    m: new OrtTensor('float32', Float32Array.of(1, 1), [N]),
  };
  const session = await InferenceSession.create(writeModel(step.model), { logSeverityLevel: 3 });
  const found = (await session.run(feeds))[gradientOf('w')].data as Float32Array;
  const forward = await InferenceSession.create(writeModel(modelOf(b.build('convolution'))));
  const y = (await forward.run({ x: feeds.x })).y.data as Float32Array;
  const expected = byLoops(x, y, SIZE, window);
  const largest = Math.max(...expected.map(Math.abs));
  expected.forEach((value, i) => expect(Math.abs(found[i] - value) / largest, `${i}`).toBeLessThan(1e-5));
});
