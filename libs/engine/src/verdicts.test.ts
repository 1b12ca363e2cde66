import { ModelError } from '@facet/onnx';
import { describe, expect, it } from 'vitest';
import { Verdicts } from './verdicts.js';

/** Work that ends when the test says so. */
function gated<T>() {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const done = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { done, resolve, reject };
}

describe('verdicts', () => {
  it('are found once, for all who ask', async () => {
    const verdicts = new Verdicts<number>();
    const work = gated<number>();
    let begun = 0;
    const find = () => {
      begun++;
      return work.done;
    };
    const asked = [verdicts.of('a', find), verdicts.of('a', find)];
    work.resolve(7);
    expect(await Promise.all([...asked, verdicts.of('a', find)])).toEqual([7, 7, 7]);
    expect(begun).toBe(1);
    expect(await verdicts.of('b', () => Promise.resolve(8))).toBe(8);
  });

  it('hold where the model is refused, and not where the finding failed', async () => {
    const verdicts = new Verdicts<number>();
    const refused = () => Promise.reject(new ModelError('limit', 'too large'));
    await expect(verdicts.of('model', refused)).rejects.toThrow('too large');
    await expect(verdicts.of('model', () => Promise.resolve(1))).rejects.toThrow('too large');
    await expect(verdicts.of('pool', () => Promise.reject(new Error('closed')))).rejects.toThrow('closed');
    expect(await verdicts.of('pool', () => Promise.resolve(1))).toBe(1);
  });

  it('do not go away with one who asked', async () => {
    const verdicts = new Verdicts<number>();
    const work = gated<number>();
    const controller = new AbortController();
    const leaving = verdicts.of('a', () => work.done, controller.signal);
    const staying = verdicts.of('a', () => work.done, new AbortController().signal);
    controller.abort(new Error('enough'));
    await expect(leaving).rejects.toThrow('enough');
    await expect(verdicts.of('a', () => work.done, controller.signal)).rejects.toThrow('enough');
    work.resolve(7);
    expect(await staying).toBe(7);
  });

  it('are few: what nobody asked for in a long time is found again', async () => {
    const verdicts = new Verdicts<number>();
    let begun = 0;
    const ask = (key: string) => verdicts.of(key, () => Promise.resolve(++begun));
    await ask('first');
    for (let i = 0; i < 300; i++) await ask(`other ${i}`);
    expect(await ask('first')).toBe(302);
    expect(await ask('other 299')).toBe(301);
  });
});
