import { ModelError } from '@facet/onnx';
import { afterAll, describe, expect, it } from 'vitest';
import { Engine } from './engine.js';
import { network, photos, sourceOf } from './engine.fixture.js';
import { type ModelSource, share } from './model-source.js';

const engine = new Engine({ threads: 1 });
afterAll(() => engine.close());

const { facets, output } = network;
const withTypes = (changes: object): ModelSource =>
  sourceOf({ facets: { ...facets, 'spoof-type': { ...facets['spoof-type'], ...changes } } });

describe('a model that is what its manifest says', () => {
  it('is described', async () => {
    const facts = await engine.check(sourceOf());
    expect(facts).toMatchObject({ inputs: ['pixels'], opset: network.model.opset, texture: network.texture });
    expect(facts.features).toEqual(Object.fromEntries(Object.keys(facets).map((facet) => [facet, 32])));
    const weights = [...network.model.graph.initializers.values()];
    expect(facts.parameters).toBeGreaterThan(100_000);
    expect(facts.parameters).toBeLessThanOrEqual(weights.reduce((sum, { data }) => sum + data.length, 0));
  });

  it('has its texture found where the manifest names none', async () => {
    const { texture } = await engine.check(sourceOf({ texture: undefined }));
    const source = sourceOf({ texture });
    const images = { photos: await photos(2), prepared: true };
    const described = await engine.describe({ source, images, batch: 2, features: [], texture });
    expect(described.features['texture'].length % 4).toBe(0);
  });
});

describe('a model that is not what its manifest says', () => {
  const cut = (source: ModelSource, length: number): ModelSource => ({
    ...source,
    digest: `cut at ${length}`,
    bytes: share(source.bytes.slice(0, length)),
  });

  it.each<[string, ModelSource, string]>([
    ['another input', sourceOf({ input: { name: 'image' } }), 'manifest input.name'],
    ['another size', sourceOf({ input: { height: 24 } }), "input 'pixels'"],
    ['a feature that is not there', withTypes({ feature: 'nowhere' }), 'manifest facets.spoof-type.feature'],
    [
      'a head that is not there',
      withTypes({ head: { output: 'none', kind: 'classes' } }),
      'manifest facets.spoof-type.head.output',
    ],
    ['a texture that is not there', sourceOf({ texture: 'no-map' }), 'manifest texture'],
    [
      'an output that is not there',
      sourceOf({ output: { ...output, name: 'decision' } }),
      'manifest output.name',
    ],
    [
      'more classes',
      sourceOf({ output: { kind: 'logits', name: 'live', classes: 3, live: [0] } }),
      'manifest output',
    ],
  ])('is refused with the place: %s', async (_, source, where) => {
    const error = await engine.check(source).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(ModelError);
    expect(error).toMatchObject({ fault: 'invalid', where });
    expect((error as Error).message).toMatch(`${where}: `);
    expect((error as Error).message.split(`${where}: `)).toHaveLength(2);
  });

  it.each([0, 7, 1000, -1])('is refused when its file is cut: %i', async (length) => {
    const whole = sourceOf();
    const source = cut(whole, length < 0 ? whole.bytes.length + length : length);
    await expect(engine.check(source)).rejects.toBeInstanceOf(ModelError);
  });

  it('does not keep the worker from the next one', async () => {
    await expect(engine.check(sourceOf())).resolves.toMatchObject({ inputs: ['pixels'] });
  });
});
