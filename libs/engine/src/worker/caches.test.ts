import { GraphBuilder, type Model, modelOf as modelFrom, weightBytes } from '@facet/onnx';
import { describe, expect, it } from 'vitest';
import { sourceOf } from '../engine.fixture.js';
import { identityOf } from '../model-source.js';
import { ModelCache } from './model-cache.js';
import { openModel } from './opened-model.js';
import { f32, Session, SessionCache } from './sessions.js';

/** y = x + by */
function adding(by: number): Model {
  const builder = new GraphBuilder();
  builder.input('x', 'float32', [1]);
  builder.node('Add', ['x', builder.f32(by)], {}, 'y');
  builder.output('y', 'float32', [1]);
  return modelFrom(builder.build('adding'));
}

const MIB = 2 ** 20;

/** y = x * x, of a batch of rows. */
function squared(width: number): Model {
  const builder = new GraphBuilder();
  builder.input('x', 'float32', ['N', width]);
  builder.node('Mul', ['x', 'x'], {}, 'y');
  builder.output('y', 'float32', ['N', width]);
  return modelFrom(builder.build('squared'));
}

describe('Session', () => {
  it('says that memory ran out, and what to do, where the machine has none to give', async () => {
    // A million rows of 1 GiB each, more than a process can address: no machine allocates that.
    const rows = 2 ** 20;
    const builder = new GraphBuilder();
    builder.input('x', 'float32', ['N', 1]);
    builder.node('Expand', ['x', builder.i64([1, 2 ** 28])], {}, 'wide');
    builder.node('ReduceMax', ['wide', builder.i64([1])], { keepdims: 1 }, 'y');
    builder.output('y', 'float32', ['N', 1]);
    const session = await Session.open(modelFrom(builder.build('boundless')), 'constant', {
      limit: Infinity,
    });
    await expect(session.run({ x: f32([rows, 1], new Float32Array(rows)) })).rejects.toMatchObject({
      fault: 'limit',
      message: expect.stringMatching(/Expand.*there is not enough memory.*take a smaller batch/),
    });
    await session.close();
  });
});

describe('SessionCache', () => {
  const x = f32([1], Float32Array.of(1));

  it('opens once, and closes what was not used for longest when it holds too much', async () => {
    // Each of these sessions counts as one MiB and a few bytes.
    const cache = new SessionCache(12.5 * MIB);
    const made: number[] = [];
    const get = (by: number) =>
      cache.get(`add ${by}`, 'constant', () => {
        made.push(by);
        return adding(by);
      });
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

  it('counts the memory of the largest run', async () => {
    const cache = new SessionCache(40 * MIB);
    const wide = (name: string) => cache.get(name, 'constant', () => squared(2 ** 18));
    const sessions = [];
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) sessions.push(await wide(name));
    const small = f32([1, 2 ** 18], new Float32Array(2 ** 18));
    for (const session of sessions) await session.run({ x: small });
    // Two images of 1 MiB in and out, where one was: 4 MiB more, times what the arena needs.
    await sessions[5].run({ x: f32([2, 2 ** 18], new Float32Array(2 ** 19)) });
    expect(sessions[5].bytes).toBeGreaterThan(sessions[4].bytes + 3 * MIB);
    expect(sessions.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(40 * MIB);
    await sessions[5].run({ x: f32([8, 2 ** 18], new Float32Array(2 ** 21)) });
    await wide('f');
    await expect(sessions[0].run({ x: small })).rejects.toThrow();
    expect((await sessions[5].run({ x: small }))['y']).toHaveLength(2 ** 18);
  });

  it('refuses what has no room, before it is run and before it is opened', async () => {
    const cache = new SessionCache(8 * MIB);
    const session = await cache.get('wide', 'constant', () => squared(2 ** 18));
    const x = f32([4, 2 ** 18], new Float32Array(2 ** 20));
    await expect(session.run({ x })).rejects.toMatchObject({
      fault: 'limit',
      message: expect.stringMatching(
        /4 samples needs about \d+ MiB, and a worker may hold 8 MiB.*smaller batch/,
      ),
    });
    await expect(cache.get('giant', 'constant', () => squared(2 ** 24))).rejects.toMatchObject({
      fault: 'limit',
      where: 'memory',
    });
  });

  it('says what ONNX Runtime refuses, and where', async () => {
    const builder = new GraphBuilder();
    builder.input('x', 'float32', ['N', 2]);
    builder.node('Softmax', ['x'], { axis: 5 }, 'y');
    builder.output('y', 'float32', ['N', 2]);
    const cache = new SessionCache(8 * MIB);
    const open = cache.get('bad', 'constant', () => modelFrom(builder.build('bad')));
    await expect(open).rejects.toMatchObject({
      name: 'ModelError',
      fault: 'unsupported',
      where: expect.stringMatching(/^node '.*Softmax/),
      message: expect.stringMatching(/ONNX Runtime refuses it: /),
    });
  });

  it('does not keep what could not be opened', async () => {
    const cache = new SessionCache(8 * MIB);
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

describe('a session', () => {
  it("opens what ONNX Runtime's own rewrites would spoil", async () => {
    const builder = new GraphBuilder();
    builder.input('x', 'float32', ['N', 1, 2, 2]);
    const wide = builder.node('Pad', ['x', builder.i64([0, 0, 4, 4, 0, 0, 4, 4])]);
    builder.node('AveragePool', [wide], { kernel_shape: [2, 2], strides: [2, 2] }, 'y');
    builder.output('y', 'float32', ['N', 1, 5, 5]);
    const session = await Session.open(modelFrom(builder.build('padded')), 'constant');
    const { y } = await session.run({ x: f32([1, 1, 2, 2], Float32Array.of(1, 2, 3, 6)) });
    expect(y.indexOf(3)).toBe(12);
    expect(y.filter((value) => value !== 0)).toHaveLength(1);
    await session.close();
  });
});

describe('ModelCache', () => {
  const source = sourceOf();
  const open = () => openModel(source);

  it('opens a model once per key, and keeps as many as have room', () => {
    const { published, prepared } = open();
    const bytes = weightBytes(published.model.graph) + weightBytes(prepared.model.graph);
    const cache = new ModelCache(2 * bytes);
    const own = cache.get('own', open);
    expect(cache.get('own', open)).toBe(own);
    const other = cache.get('other', open);
    expect(other).not.toBe(own);
    expect(cache.get('own', open)).toBe(own);
    for (const key of ['a', 'b', 'c', 'd']) cache.get(key, open);
    expect(cache.get('own', open)).not.toBe(own);
  });

  it('keeps the last one whatever its size', () => {
    const cache = new ModelCache(1);
    const own = cache.get('own', open);
    expect(cache.get('own', open)).toBe(own);
    cache.get('other', open);
    expect(cache.get('own', open)).not.toBe(own);
  });
});

describe('identityOf', () => {
  it('tells files, manifests and fits apart', () => {
    const source = sourceOf();
    expect(identityOf(sourceOf())).toBe(identityOf(source));
    expect(identityOf(source, 'fit')).not.toBe(identityOf(source));
    expect(identityOf(sourceOf({ description: 'the same file, published again' }))).not.toBe(
      identityOf(source),
    );
    expect(identityOf({ ...source, digest: 'another' })).not.toBe(identityOf(source));
  });
});
