import type { ObjectStore } from '@facet/store';
import { expect, it } from 'vitest';
import { putOnce, sourceOf } from './once.js';
import { openStore } from './store.fixture.js';

const bytes = (text: string) => new TextEncoder().encode(text);
const source = (text: string) => sourceOf(bytes(text));

it('leaves what stands, and says whose it is', async () => {
  const store = await openStore();
  expect(await putOnce(store, 'a', source('x'))).toBe(true);
  expect(await putOnce(store, 'a', source('x'))).toBe(true);
  expect(await putOnce(store, 'a', source('y'))).toBe(false);
  expect(await (await store.get('a'))!.bytes()).toEqual(bytes('x'));
});

it('lets one of many racing writers win, and tells the others', async () => {
  const store = await openStore();
  const texts = ['a', 'b', 'c', 'd', 'e', 'f'];
  const won = await Promise.all(texts.map((text) => putOnce(store, 'key', source(text))));
  expect(won.filter(Boolean)).toHaveLength(1);
  expect(await (await store.get('key'))!.bytes()).toEqual(bytes(texts[won.indexOf(true)]));
});

it('writes after all where what stood there is deleted before it can be read', async () => {
  const store = await openStore();
  await store.put('a', bytes('old'));
  const deleting: ObjectStore = {
    put: (...args) => store.put(...args),
    get: async (key) => {
      await store.delete(key);
      return undefined;
    },
    list: (...args) => store.list(...args),
    folders: (...args) => store.folders(...args),
    delete: (...args) => store.delete(...args),
  };
  expect(await putOnce(deleting, 'a', source('new'))).toBe(true);
  expect(await (await store.get('a'))!.bytes()).toEqual(bytes('new'));
});

it('stops when it is told to', async () => {
  const store = await openStore();
  await expect(putOnce(store, 'a', source('x'), AbortSignal.abort())).rejects.toThrow(/abort/);
});
