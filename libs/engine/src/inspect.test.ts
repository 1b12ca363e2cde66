import { GraphBuilder, type Model, modelOf, tensorF32, writeModel } from '@facet/onnx';
import { Random } from '@facet/random';
import { afterAll, describe, expect, it } from 'vitest';
import { network, SIZE } from './engine.fixture.js';
import { Engine } from './engine.js';
import type { Inspection } from './inspection.js';
import { share } from './model-source.js';
import { slopeOf } from './worker/gradient-check.js';

const engine = new Engine({ threads: 1 });
afterAll(() => engine.close());

const inspect = (model: Model): Promise<Inspection> => engine.inspect({ bytes: share(writeModel(model)) });

interface Made {
  readonly batch?: number | string;
  readonly side?: number | string;
  readonly classes?: number;
  /** Appends the last node to the logits and returns its output. */
  readonly last?: (b: GraphBuilder, logits: string) => string;
}

/** Conv, Relu, average, Gemm, whatever comes last. */
function small({ batch = 'N', side = 8, classes = 2, last = (_, logits) => logits }: Made = {}): Model {
  const random = new Random(3);
  const weights = (...dims: number[]) =>
    tensorF32(
      dims,
      Array.from({ length: dims.reduce((a, b) => a * b) }, () => random.normal()),
    );
  const b = new GraphBuilder();
  b.input('image', 'float32', [batch, 3, side, side]);
  b.node('Conv', ['image', b.initializer('kernel', weights(4, 3, 3, 3))], {}, 'map');
  const pooled = b.node('GlobalAveragePool', [b.node('Relu', ['map'], {}, 'bent')], {}, 'pooled');
  b.node('Flatten', [pooled], {}, 'embedding');
  b.node('Gemm', ['embedding', b.initializer('head', weights(4, classes))], {}, 'logits');
  b.output(last(b, 'logits'), 'float32', [batch, classes]);
  return modelOf(b.build('small'));
}

describe('a model without a manifest', () => {
  it('is told as its file has it', async () => {
    const found = await inspect(small());
    expect(found).toMatchObject({
      opset: 18,
      inputs: [{ name: 'image', type: 'float32', dims: ['N', 3, 8, 8] }],
      outputs: [{ name: 'logits', type: 'float32', dims: ['N', 2] }],
      parameters: 4 * 27 + 8,
      batch: { kind: 'symbolic', size: 'N' },
      obstacle: null,
    });
    expect(found.operators).toEqual(
      ['Conv', 'Flatten', 'Gemm', 'GlobalAveragePool', 'Relu'].map((operator) => ({ operator, count: 1 })),
    );
    // Conv, Relu, the average, Gemm.
    expect(found.flops).toBe(2 * 144 * 27 + 144 + 144 + 2 * 8);
  });

  it('has a facet where everything passes, once for what is only bent or reshaped', async () => {
    const { facets } = await inspect(small());
    expect(facets).toEqual([
      { tensor: 'bent', kind: 'map', dims: ['N', 4, 6, 6], differentiable: true },
      { tensor: 'embedding', kind: 'embedding', dims: ['N', 4], differentiable: true },
    ]);
  });

  it('has a gradient that agrees with central differences', async () => {
    for (const model of [small(), network.model]) {
      const { gradient } = await inspect(model);
      expect(gradient).toMatchObject({ differentiable: true, of: 'model', check: { verdict: 'agrees' } });
      const { norm, directions, relativeError } = gradient!.check!;
      expect(norm).toBeGreaterThan(0);
      expect(directions).toHaveLength(3);
      for (const { gradient: slope, difference } of directions)
        expect(Math.abs(slope / difference - 1)).toBeLessThan(0.02);
      expect(relativeError).toBe(Math.max(...directions.map((one) => one.relativeError)));
    }
  });

  it('is the same again', async () => {
    expect(await inspect(small())).toEqual(await inspect(small()));
  });

  it('has its decision found among the outputs of a network with heads', async () => {
    const { manifest, facets } = await inspect(network.model);
    expect(manifest?.output.name).toBe(network.output.name);
    expect(manifest?.input).toMatchObject({ name: network.input.name, height: SIZE, width: SIZE });
    expect(facets!.length).toBeGreaterThan(1);
  });

  it('may have a fixed batch, or leave its size open', async () => {
    expect(await inspect(small({ batch: 1 }))).toMatchObject({
      batch: { kind: 'static', size: 1 },
      gradient: { check: { verdict: 'agrees' } },
    });
    const { manifest } = await inspect(small({ side: 'side' }));
    expect(manifest?.input).toMatchObject({ height: 128, width: 128 });
    expect(manifest?.guesses).toEqual(expect.arrayContaining(['input.height', 'input.width']));
    expect((await inspect(small())).manifest?.guesses).not.toContain('input.height');
  });

  it.each<[string, Made, object]>([
    ['logits', {}, { kind: 'logits', name: 'logits', classes: 2, live: [0] }],
    [
      'probabilities',
      { classes: 3, last: (b, logits) => b.node('Softmax', [logits], { axis: 1 }, 'y') },
      { kind: 'probabilities', name: 'y', classes: 3, live: [0] },
    ],
    ['a logit', { classes: 1 }, { kind: 'logit', name: 'logits', high: 'spoof' }],
    [
      'a sigmoid',
      { classes: 1, last: (b, logits) => b.node('Sigmoid', [logits], {}, 'y') },
      { kind: 'sigmoid', name: 'y', high: 'spoof' },
    ],
    ['a map', { last: (b) => b.node('Abs', ['map'], {}, 'y') }, { kind: 'map', name: 'y', high: 'spoof' }],
  ])('has its decision taken for %s by the graph', async (_, made, output) => {
    const { manifest, gradient } = await inspect(small(made));
    expect(manifest?.output).toEqual(output);
    expect(manifest?.guesses).toContain('output.kind');
    expect(gradient).toMatchObject({ differentiable: true, check: { verdict: 'agrees' } });
  });

  it('is flat where its decision does not move', async () => {
    const model = small({ last: (b, logits) => b.node('Mul', [logits, b.f32(0)], {}, 'y') });
    expect((await inspect(model)).gradient).toMatchObject({ check: { norm: 0, verdict: 'flat' } });
  });
});

describe('what is in the way', () => {
  it('of a gradient is named, and which facets stay open', async () => {
    const model = small({ last: (b, logits) => b.node('Hardmax', [logits], {}, 'y') });
    const { gradient, facets, obstacle } = await inspect(model);
    expect(obstacle).toBeNull();
    expect(gradient).toMatchObject({
      differentiable: false,
      obstacle: { where: 'y/Hardmax', operator: 'Hardmax' },
    });
    expect(facets!.map(({ differentiable }) => differentiable)).toContain(true);
  });

  it('of everything is named, and what the file says stands', async () => {
    const model = small({ last: (b, logits) => b.node('Frobnicate', [logits], {}, 'y') });
    expect(await inspect(model)).toMatchObject({
      obstacle: { where: 'y/Frobnicate', operator: 'Frobnicate' },
      inputs: [{ name: 'image' }],
      parameters: 4 * 27 + 8,
      flops: null,
      facets: null,
      gradient: null,
      manifest: null,
    });
  });

  it('of a model that takes no image is named by its input, with what can be counted', async () => {
    const b = new GraphBuilder();
    b.input('vector', 'float32', ['N', 6]);
    const weights = b.initializer('w', tensorF32([6, 2], new Float32Array(12)));
    b.output(b.node('MatMul', ['vector', weights], {}, 'logits'), 'float32', ['N', 2]);
    expect(await inspect(modelOf(b.build('vectors')))).toMatchObject({
      obstacle: { where: 'vector', operator: null },
      flops: 24,
      facets: null,
      gradient: null,
    });
  });

  it('is an error where the file is no model', async () => {
    await expect(engine.inspect({ bytes: share(new Uint8Array(100)) })).rejects.toMatchObject({
      name: 'ModelError',
    });
  });
});

describe('slopeOf', () => {
  it('finds a slope beside a cubic term, and does not take the finest step where that is rounding', () => {
    const steps = [3, 5, 7, 9, 11, 13, 15].map((power) => 2 ** -power);
    const smooth = steps.map((step) => 2 + 5 * step * step);
    expect(slopeOf(smooth).slope).toBeCloseTo(2, 9);
    const rounded = smooth.map((value, i) => (i > 4 ? value + 0.1 * i : value));
    expect(slopeOf(rounded).slope).toBeCloseTo(2, 6);
  });
});
