import { GraphBuilder, type Model, modelOf as modelFrom } from '@facet/onnx';
import { describe, expect, it } from 'vitest';
import { sourceOf } from '../engine.fixture.js';
import { modelOf } from './models.js';
import { f32, SessionCache } from './sessions.js';

/** y = x + by */
function adding(by: number): Model {
  const builder = new GraphBuilder();
  builder.input('x', 'float32', [1]);
  builder.node('Add', ['x', builder.f32(by)], {}, 'y');
  builder.output('y', 'float32', [1]);
  return modelFrom(builder.build('adding'));
}

describe('SessionCache', () => {
  it('opens once, and closes what was not used for longest', async () => {
    const cache = new SessionCache(12);
    const made: number[] = [];
    const get = (by: number) =>
      cache.get(`add ${by}`, 'constant', () => {
        made.push(by);
        return adding(by);
      });
    const x = f32([1], Float32Array.of(1));
    const first = await get(0);
    for (let by = 1; by < 12; by++) await get(by);
    expect(await get(0)).toBe(first);
    const second = await get(1);
    await get(2);
    for (let by = 12; by < 23; by++) await get(by);
    expect(made).toEqual(Array.from({ length: 23 }, (_, by) => by));
    expect(await get(2)).toBe(await get(2));
    await expect(first.run({ x })).rejects.toThrow();
    await expect(second.run({ x })).rejects.toThrow();
    expect((await (await get(0)).run({ x }))['y']).toEqual(Float32Array.of(1));
    expect(made.at(-1)).toBe(0);
  });

  it('does not keep what could not be opened', async () => {
    const cache = new SessionCache(2);
    const fail = () => {
      throw new Error('not today');
    };
    await expect(cache.get('key', 'constant', fail)).rejects.toThrow('not today');
    const session = await cache.get('key', 'constant', () => adding(2));
    expect(
      await session.run({ x: f32([1], Float32Array.of(1)), unknown: f32([0], new Float32Array()) }),
    ).toEqual({ y: Float32Array.of(3) });
  });
});

describe('modelOf', () => {
  it('opens a model once per manifest and fit, and keeps few', () => {
    const source = sourceOf();
    const own = modelOf(source);
    expect(modelOf(sourceOf())).toBe(own);
    expect(modelOf(source, 'fit')).not.toBe(own);
    const other = sourceOf({ description: 'the same file, published again' });
    expect(modelOf(other)).not.toBe(own);
    modelOf(source, 'a');
    expect(modelOf(source)).toBe(own);
    for (const fit of ['b', 'c', 'd']) modelOf(source, fit);
    expect(modelOf(source)).toBe(own);
    for (const fit of ['e', 'f', 'g', 'h']) modelOf(source, fit);
    expect(modelOf(source)).not.toBe(own);
  });
});
