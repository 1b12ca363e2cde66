import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FolderStore } from './folder.js';
import { canonicalJson, readJson, writeJson } from './json.js';
import { type ObjectStore, StoreError } from './port.js';

describe('canonicalJson', () => {
  it('sorts keys at every depth, drops undefined and ends with a newline', () => {
    const text = canonicalJson({ b: [{ d: 1, c: 'x' }, []], a: undefined, 10: {}, 9: null });
    expect(text).toBe(
      '{\n  "10": {},\n  "9": null,\n  "b": [\n    {\n      "c": "x",\n      "d": 1\n    },\n    []\n  ]\n}\n',
    );
  });

  it('gives the same bytes for every order of the same members, and the value back', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const shuffled = Object.fromEntries(Object.entries(value).reverse());
        const text = canonicalJson(value);
        expect(canonicalJson(shuffled)).toBe(text);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it.each([
    [{ rate: Number.NaN }, '$.rate: NaN'],
    [{ a: [1, Infinity] }, '$.a[1]: Infinity'],
    [{ a: new Float32Array(1) }, '$.a: a Float32Array'],
    [{ a: new Date(0) }, '$.a: a Date'],
    [[undefined], '$[0]: a value of type undefined'],
    [{ n: 1n }, '$.n: a value of type bigint'],
  ])('refuses what JSON would change silently: %o', (value, message) => {
    expect(() => canonicalJson(value)).toThrow(message);
  });
});

describe('readJson and writeJson', () => {
  let root: string;
  let store: ObjectStore;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'facet-store-'));
    store = await FolderStore.open(root);
  });
  afterEach(() => rm(root, { recursive: true }));

  const parse = (value: unknown) => {
    if (typeof value !== 'object') throw new Error('must be an object');
    return value;
  };

  it('reads back what was written', async () => {
    await writeJson(store, 'a.json', { b: 1 });
    expect(await readJson(store, 'a.json', parse)).toEqual({ b: 1 });
    expect(await readJson(store, 'b.json', parse)).toBeUndefined();
    expect(await writeJson(store, 'a.json', {}, { ifAbsent: true })).toMatchObject({ written: false });
  });

  it.each([
    ['{"a":', 'JSON'],
    ['7', 'must be an object'],
    [new Uint8Array([0xff]), 'encoded'],
  ])('names the key of an object that is malformed: %o', async (body, reason) => {
    await store.put('bad.json', typeof body === 'string' ? new TextEncoder().encode(body) : body);
    const error = await readJson(store, 'bad.json', parse).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(StoreError);
    expect(error).toMatchObject({ fault: 'malformed', key: 'bad.json', terminal: true });
    expect((error as Error).message).toContain(reason);
  });
});
