/** Gradients stay in the layout that ONNX Runtime convolves in, as its own optimised graph shows. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession } from 'onnxruntime-node';
import { afterAll, describe, expect, it } from 'vitest';
import { GraphBuilder, modelOf } from '../builder.js';
import { writeModel } from '../file/index.js';
import type { Dim, Graph } from '../graph.js';
import { compileObjective } from '../objective/index.js';
import { inferShapes } from '../shapes/index.js';
import { above, below } from './blocked.js';
import { noise, run, weight } from './differences.fixture.js';
import { stayBlocked } from './stay-blocked.js';

const DIMS: readonly Dim[] = [{ perSample: 1 }, 16, 4, 4];

const graphOf = (build: (b: GraphBuilder, g: string) => string): { before: Graph; after: Graph } => {
  const b = new GraphBuilder();
  b.input('x', 'float32', ['N', 16, 4, 4]);
  b.input('g', 'float32', ['N', 16, 4, 4]);
  // Something that is computed, but not in blocks.
  b.output(build(b, b.node('Neg', ['g'])), 'float32', ['N', 16, 4, 4], 'y');
  const before = b.build('case');
  const sizes = new Map(['x', 'g'].map((name) => [name, DIMS]));
  return { before, after: stayBlocked(before, inferShapes(before, sizes)) };
};

const conv = (b: GraphBuilder, x: string): string =>
  b.node('Conv', [x, b.constant(weight(16, 16, 3, 3))], { pads: [1, 1, 1, 1] });

/** The mask of a Relu in front of a convolution, on a gradient that comes from elsewhere, and a branch around it. */
const residual = (b: GraphBuilder, g: string): string => {
  const masked = b.node('Mul', [g, above(b, conv(b, 'x'))]);
  return conv(b, b.node('Add', [conv(b, masked), masked]));
};

describe('stayBlocked', () => {
  const folder = mkdtempSync(join(tmpdir(), 'facet-blocked-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** How often the runtime leaves its blocks; it has none on some processors. */
  async function exits(graph: Graph): Promise<number> {
    const path = join(folder, 'optimised.onnx');
    const session = await InferenceSession.create(writeModel(modelOf(graph)), {
      graphOptimizationLevel: 'all',
      optimizedModelFilePath: path,
      logSeverityLevel: 4,
    });
    await session.release();
    // Every node says its operator once by its type and, in its name, once more.
    return readFileSync(path, 'latin1').split(/\x22\rReorderOutput/).length - 1;
  }

  it('takes what meets a blocked map into the blocks, and changes no number', async () => {
    const { before, after } = graphOf(residual);
    expect(after.nodes.length).toBe(before.nodes.length + 1);
    const feeds = Object.fromEntries(
      ['x', 'g'].map((name, i) => [name, { dims: [2, 16, 4, 4], data: noise(512, i) }]),
    );
    const [expected, actual] = await Promise.all([before, after].map((graph) => run(modelOf(graph), feeds)));
    actual['y'].data.forEach((value, i) => expect(value).toBeCloseTo(expected['y'].data[i], 4));
    const [left, kept] = [await exits(before), await exits(after)];
    expect(kept).toBeLessThanOrEqual(Math.min(left, 1));
  });

  it('counts on a Clip that the runtime fuses into a convolution', async () => {
    const { before, after } = graphOf((b, g) => {
      const clipped = b.node('Clip', [conv(b, 'x'), b.f32(0), b.f32(6)]);
      return conv(b, b.node('Mul', [b.node('Mul', [g, above(b, clipped)]), below(b, clipped, 6)]));
    });
    expect(after.nodes.length).toBe(before.nodes.length + 1);
    expect(await exits(after)).toBeLessThanOrEqual(Math.min(await exits(before), 1));
  });

  it('is not left behind a pool, since the compiled graph states its shapes', async () => {
    const b = new GraphBuilder();
    b.input('input', 'float32', ['N', 3, 8, 8]);
    const stem = b.node('Conv', ['input', b.constant(weight(16, 3, 3, 3))], { pads: [1, 1, 1, 1] });
    const pooled = b.node('MaxPool', [b.node('Relu', [stem])], { kernel_shape: [2, 2], strides: [2, 2] });
    const map = b.node('Relu', [b.node('Add', [conv(b, b.node('Relu', [conv(b, pooled)])), pooled])]);
    const flat = b.node('Flatten', [b.node('GlobalAveragePool', [map])]);
    const logit = b.node('MatMul', [flat, b.constant(weight(16, 1))]);
    const graph = b.build('pooled');
    const shapes = inferShapes(
      graph,
      new Map<string, readonly Dim[]>([['input', [{ perSample: 1 }, 3, 8, 8]]]),
    );
    const { graph: compiled } = compileObjective(
      { model: modelOf(graph), shapes },
      {
        input: { name: 'input', scale: [1, 1, 1], offset: [0, 0, 0], swapRedBlue: false },
        terms: [{ term: { kind: 'logit-margin', tensor: logit, high: 'live' }, weight: 1 }],
      },
    );
    // The means, the ties of the pool, and the gradient that goes to three channels. Without blocks there are none.
    const left = await exits({ ...compiled, stated: [] });
    expect(await exits(compiled)).toBe(left === 0 ? 0 : 3);
    expect(left === 0 || left > 3).toBe(true);
  });

  it.each<[string, (b: GraphBuilder, g: string) => string]>([
    ['the result is read as it is', (b, g) => b.node('Neg', [b.node('Mul', [g, conv(b, 'x')])])],
    ['nothing is blocked', (b, g) => conv(b, b.node('Add', [g, 'x']))],
    ['everything is blocked', (b, g) => conv(b, b.node('Add', [conv(b, g), conv(b, 'x')]))],
    [
      'it is broadcast',
      (b, g) => {
        const mean = b.node('ReduceMean', [g, b.i64([2, 3])]);
        return conv(b, b.node('Mul', [conv(b, 'x'), mean]));
      },
    ],
  ])('leaves the graph alone where %s', (_, build) => {
    const { before, after } = graphOf(build);
    expect(after.nodes).toEqual(before.nodes);
  });
});
