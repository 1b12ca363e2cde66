import { describe, expect, it } from 'vitest';
import { GraphBuilder, tensorF32, tensorI64 } from '../builder.js';
import type { Dim, Graph } from '../graph.js';
import { inferShapes } from '../shapes/index.js';
import { consumers, dominators, flops, parameterCount, restrict, topologicalOrder } from './index.js';

const inputs = new Map<string, readonly Dim[]>([['x', [{ perSample: 1 }, 3, 8, 8]]]);

/** A stem, a residual block, and two heads. */
function network(): Graph {
  const b = new GraphBuilder();
  b.input('x', 'float32', ['N', 3, 8, 8]);
  b.input('unused', 'float32', [1]);
  const w = b.initializer('w', tensorF32([4, 3, 3, 3], new Float32Array(108)));
  const v = b.initializer('v', tensorF32([4, 4, 1, 1], new Float32Array(16)));
  b.node('Conv', ['x', w], { pads: [1, 1, 1, 1] }, 'stem');
  b.node('Relu', ['stem'], {}, 'active');
  b.node('Conv', ['active', v], {}, 'branch');
  b.node('Add', ['active', 'branch'], {}, 'sum');
  const batch = b.node('Gather', [b.node('Shape', ['x']), b.i64([0])]);
  b.node('Reshape', ['sum', b.node('Concat', [batch, b.i64([-1])], { axis: 0 })], {}, 'flat');
  b.node('Gemm', ['flat', b.constant(tensorF32([256, 2], new Float32Array(512)))], {}, 'logits');
  b.output('logits', 'float32', ['N', 2]);
  b.output(b.node('Sigmoid', ['sum'], {}, 'depth'), 'float32', ['N', 4, 8, 8]);
  return b.build('network');
}

describe('dominators', () => {
  it('are the tensors that no path avoids', () => {
    expect(dominators(network(), 'x', ['logits'])).toEqual(['stem', 'active', 'sum', 'flat', 'logits']);
    expect(dominators(network(), 'x', ['logits', 'depth'])).toEqual(['stem', 'active', 'sum']);
    expect(dominators(network(), 'x', ['logits', 'active'])).toEqual(['stem', 'active']);
    expect(dominators(network(), 'active', ['sum'])).toEqual(['sum']);
  });

  it('are none without a path', () => {
    expect(dominators(network(), 'unused', ['logits'])).toEqual([]);
    expect(dominators(network(), 'depth', ['logits'])).toEqual([]);
  });

  it('leave out what a target can be reached beside', () => {
    const b = new GraphBuilder();
    b.input('x', 'float32', [1]);
    b.node('Relu', ['x'], {}, 'a');
    b.node('Add', ['a', 'x'], {}, 'y');
    b.node('Neg', ['y'], {}, 'z');
    expect(dominators(b.build('g'), 'x', ['z'])).toEqual(['y', 'z']);
  });
});

describe('restrict', () => {
  it('keeps what the outputs need, and types new ones', () => {
    const graph = network();
    const part = restrict(graph, ['sum', 'depth'], inferShapes(graph, new Map([...inputs, ['unused', [1]]])));
    expect(part.nodes.map(({ op }) => op)).toEqual(['Conv', 'Relu', 'Conv', 'Add', 'Sigmoid']);
    expect(part.inputs.map(({ name }) => name)).toEqual(['x']);
    expect([...part.initializers.keys()]).toEqual(['w', 'v']);
    expect(part.outputs[0]).toEqual({ name: 'sum', type: 'float32', dims: ['N', 4, 8, 8] });
    expect(() => restrict(graph, ['nowhere'], new Map())).toThrow(/'nowhere'/);
  });
});

describe('topologicalOrder', () => {
  it('mends any order and leaves a good one', () => {
    const graph = network();
    expect(topologicalOrder(graph)).toEqual(graph.nodes);
    const mended = topologicalOrder({ ...graph, nodes: [...graph.nodes].reverse() });
    const position = new Map(mended.flatMap((node, index) => node.outputs.map((name) => [name, index])));
    for (const [index, node] of mended.entries())
      for (const name of node.inputs) expect(position.get(name) ?? -1).toBeLessThan(index);
  });

  it('refuses a cycle', () => {
    const b = new GraphBuilder();
    b.node('Add', ['b', 'b'], {}, 'a');
    b.node('Relu', ['a'], {}, 'b');
    expect(() => topologicalOrder(b.build('g'))).toThrow(/reads what depends on it/);
  });
});

describe('cost', () => {
  it('counts operations per sample and parameters', () => {
    const graph = network();
    const shapes = inferShapes(graph, inputs);
    const stem = 2 * 4 * 64 * 27;
    const rest = 4 * 64 + 2 * 4 * 64 * 4 + 4 * 64 + 2 * 256 * 2 + 4 * 64;
    expect(flops(graph, shapes)).toBe(stem + rest);
    expect(parameterCount(graph)).toBe(108 + 16 + 512);
  });

  it('counts what a ConvTranspose and a pool do', () => {
    const b = new GraphBuilder();
    b.input('x', 'float32', ['N', 3, 8, 8]);
    const w = b.initializer('w', tensorF32([3, 5, 2, 2], new Float32Array(60)));
    b.node('MaxPool', [b.node('ConvTranspose', ['x', w], { strides: [2, 2] })], { kernel_shape: [2, 2] });
    b.constant(tensorI64([1, 2, 3]));
    const graph = b.build('g');
    expect(flops(graph, inferShapes(graph, inputs))).toBe(2 * 3 * 64 * 20 + 5 * 15 * 15 * 4);
    expect(parameterCount(graph)).toBe(60);
  });

  it('counts an Einsum as the product that it is', () => {
    const b = new GraphBuilder();
    b.input('x', 'float32', ['N', 3, 8, 8]);
    const w = b.constant(tensorF32([5, 3], new Float32Array(15)));
    b.node('Einsum', ['x', w], { equation: 'nchw, oc -> nohw' });
    const graph = b.build('g');
    expect(flops(graph, inferShapes(graph, inputs))).toBe(2 * 3 * 64 * 5);
  });

  it('knows every reader', () => {
    expect(
      consumers(network())
        .get('active')
        ?.map(({ op }) => op),
    ).toEqual(['Conv', 'Add']);
  });
});
