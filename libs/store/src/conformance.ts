/**
 * What every adapter of the object store keeps, as tests: an adapter's own test file calls this with a way to open
 * an empty store. An entry of its own (`@facet/store/conformance`), so that vitest stays out of the product.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ObjectStore, StoreError } from './port.js';

export interface OpenedStore {
  readonly store: ObjectStore;
  close(): Promise<void>;
}

/** Larger than any adapter's chunk, and than the 5 MiB part of an S3 multipart upload. */
const LARGE_BYTES = 6 * 1024 * 1024 + 17;

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

function pattern(size: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => (i * 31 + (i >> 8) * 7 + seed) & 255);
}

async function* pieces(...parts: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return new Uint8Array(Buffer.concat(parts));
}

/** @param open gives an empty store; `close` also removes what it holds. Called once per test. */
export function storeConformance(name: string, open: () => Promise<OpenedStore>): void {
  describe(`object store: ${name}`, () => {
    let opened: OpenedStore;
    let store: ObjectStore;
    beforeEach(async () => {
      opened = await open();
      store = opened.store;
    });
    afterEach(() => opened.close());

    const read = async (key: string) => (await store.get(key))?.bytes();
    const keys = async (prefix: string) => {
      const found: string[] = [];
      for await (const object of store.list(prefix)) found.push(object.key);
      return found;
    };
    const faultOf = (attempt: Promise<unknown>) =>
      attempt.then(
        () => 'none',
        (error: unknown) => (error instanceof StoreError ? error.fault : error),
      );

    it('gives back what was put, with its size', async () => {
      const body = text('{"live":0}');
      expect(await store.put('models/m/1/manifest.json', body)).toEqual({ written: true, size: 10 });
      const found = await store.get('models/m/1/manifest.json');
      expect(found).toMatchObject({ key: 'models/m/1/manifest.json', size: 10 });
      expect(await found!.bytes()).toEqual(body);
      expect(await collect(found!.stream())).toEqual(body);
    });

    it('knows nothing of a key that was never put', async () => {
      await store.put('a/b', text('x'));
      expect(await store.get('a/c')).toBeUndefined();
      expect(await store.get('a')).toBeUndefined();
      expect(await store.get('a/b/c')).toBeUndefined();
    });

    it('stores empty objects', async () => {
      await store.put('empty', new Uint8Array());
      expect(await read('empty')).toEqual(new Uint8Array());
      expect(await collect((await store.get('empty'))!.stream())).toEqual(new Uint8Array());
    });

    it('stores only the view that it is given, not the buffer behind it', async () => {
      await store.put('view', pattern(100, 0).subarray(10, 20));
      expect(await read('view')).toEqual(pattern(100, 0).slice(10, 20));
    });

    it('takes a stream and gives one, larger than its chunks', async () => {
      const large = pattern(LARGE_BYTES, 3);
      const cut = 1_000_003;
      const body = pieces(large.subarray(0, cut), new Uint8Array(), large.subarray(cut));
      expect(await store.put('large', body)).toEqual({ written: true, size: LARGE_BYTES });
      const back = await collect((await store.get('large'))!.stream());
      expect(Buffer.compare(back, large)).toBe(0);
    });

    it('replaces an object whole, also by a shorter one', async () => {
      await store.put('key', text('a long first version'));
      await store.put('key', text('second'));
      expect(await read('key')).toEqual(text('second'));
    });

    it('keeps the old object when the new one fails half-way', async () => {
      await store.put('key', text('old'));
      async function* breaking() {
        yield text('half of the new');
        throw new Error('the source broke');
      }
      await expect(store.put('key', breaking())).rejects.toThrow('the source broke');
      await expect(store.put('other', breaking())).rejects.toThrow('the source broke');
      expect(await read('key')).toEqual(text('old'));
      expect(await keys('')).toEqual(['key']);
    });

    it('shows a reader only whole objects while writers replace them', async () => {
      const versions = [1, 2, 3, 4].map((seed) => pattern(300_000, seed));
      await store.put('key', versions[0]);
      let writing = true;
      const writers = Promise.all(versions.map((version) => store.put('key', version))).finally(() => {
        writing = false;
      });
      do {
        const seen = Buffer.from((await read('key'))!);
        expect(versions.some((version) => seen.equals(version))).toBe(true);
      } while (writing);
      await writers;
    });

    it('lets exactly one of several writers in with ifAbsent', async () => {
      const bodies = ['one', 'three', 'fifteen'].map(text);
      const results = await Promise.all(bodies.map((body) => store.put('lock', body, { ifAbsent: true })));
      const winners = bodies.filter((_, i) => results[i].written);
      expect(winners).toHaveLength(1);
      expect(await read('lock')).toEqual(winners[0]);
      expect(results.map((result) => result.size)).toEqual(bodies.map(() => winners[0].byteLength));
    });

    it('leaves what stands there with ifAbsent, and takes the key again after a delete', async () => {
      await store.put('key', text('first'));
      expect(await store.put('key', text('2'), { ifAbsent: true })).toEqual({ written: false, size: 5 });
      expect(await read('key')).toEqual(text('first'));
      await store.delete('key');
      expect(await store.put('key', text('2'), { ifAbsent: true })).toEqual({ written: true, size: 1 });
    });

    it('lists by any prefix, in the order of whole keys', async () => {
      const all = ['a-b', 'a.b/c', 'a/b', 'a/b0', 'a0', 'a/-', 'B', 'b/1/2/3', 'b/10', 'b/1.x'];
      for (const key of all) await store.put(key, text(key));
      const sorted = [...all].sort();
      expect(await keys('')).toEqual(sorted);
      for (const prefix of ['a', 'a/', 'a/b', 'a.', 'b/1', 'b/1/', 'b/1/2/3', 'c', 'a/b/c', 'B'])
        expect(await keys(prefix), prefix).toEqual(sorted.filter((key) => key.startsWith(prefix)));
      for await (const object of store.list('')) expect(object.size).toBe(object.key.length);
    });

    it('lists what stands behind a key, whether that one exists or not', async () => {
      const all = ['a-b', 'a/b', 'a/b0', 'a/c/d', 'a/c/e', 'a0', 'b/1'];
      for (const key of all) await store.put(key, text('x'));
      const sorted = [...all].sort();
      const behind = async (prefix: string, after: string) => {
        const found: string[] = [];
        for await (const { key } of store.list(prefix, { after })) found.push(key);
        return found;
      };
      for (const after of [...all, 'a', 'a/', 'a/b1', 'a/c', 'a/c/', 'a/zzz', 'c'])
        for (const prefix of ['', 'a', 'a/', 'a/c/'])
          expect(await behind(prefix, after), `${prefix} after ${after}`).toEqual(
            sorted.filter((key) => key.startsWith(prefix) && key > after),
          );
    });

    it('names the folders under a prefix, each once, in order', async () => {
      const all = [
        'm/a/1/x',
        'm/a/2/x',
        'm/a-b/1',
        'm/a.b/1',
        'm/a0/1',
        'm/b/1/2/3',
        'm/file',
        'n/c/1',
        'top',
      ];
      for (const key of all) await store.put(key, text('x'));
      const names = async (prefix: string, after?: string) => {
        const found: string[] = [];
        for await (const folder of store.folders(prefix, after === undefined ? {} : { after }))
          found.push(folder);
        return found;
      };
      expect(await names('')).toEqual(['m', 'n']);
      expect(await names('m/')).toEqual(['a', 'a-b', 'a.b', 'a0', 'b']);
      expect(await names('m/a/')).toEqual(['1', '2']);
      expect(await names('m/a/1/')).toEqual([]);
      expect(await names('nothing/')).toEqual([]);
      for (const after of ['a', 'a-', 'a-b', 'a.b', 'a0', 'b', 'c', '0'])
        expect(await names('m/', after), after).toEqual(
          ['a', 'a-b', 'a.b', 'a0', 'b'].filter((folder) => folder > after),
        );
      await store.delete('m/b/1/2/3');
      expect(await names('m/')).toEqual(['a', 'a-b', 'a.b', 'a0']);
      expect(await faultOf(names('m'))).toBe('invalid-key');
    });

    it('says when an object was put', async () => {
      await store.put('first', text('x'));
      const { modified } = (await store.get('first'))!;
      // A store with a clock of its own may be a little off; the year must be right.
      expect(Math.abs(modified - Date.now())).toBeLessThan(24 * 3_600_000);
      await store.put('second', text('y'));
      expect((await store.get('second'))!.modified).toBeGreaterThanOrEqual(modified);
      // S3 tells whole seconds of one object, and thousandths in a list.
      for await (const object of store.list('first'))
        expect(Math.abs(object.modified - modified)).toBeLessThan(1000);
    });

    it('deletes, once or twice, and nothing else', async () => {
      await store.put('a/b/c', text('x'));
      await store.put('a/d', text('y'));
      await store.delete('a/b/c');
      await store.delete('a/b/c');
      await store.delete('a');
      await store.delete('never/there');
      expect(await store.get('a/b/c')).toBeUndefined();
      expect(await keys('')).toEqual(['a/d']);
      await store.put('a/b', text('where a folder was'));
      expect(await keys('')).toEqual(['a/b', 'a/d']);
    });

    it('survives puts and deletes side by side under one prefix', async () => {
      const rounds = Array.from({ length: 20 }, async (_, i) => {
        await store.put(`same/place/${i}`, text('x'));
        if (i % 2 === 0) await store.delete(`same/place/${i}`);
      });
      await Promise.all(rounds);
      expect(await keys('same/')).toHaveLength(10);
    });

    it('says that an object went away between being found and being read', async () => {
      await store.put('key', text('x'));
      const found = await store.get('key');
      await store.delete('key');
      expect(await faultOf(found!.bytes())).toBe('gone');
      expect(await faultOf(collect(found!.stream()))).toBe('gone');
    });

    it('refuses a key that is a folder of another, or keeps both whole', async () => {
      await store.put('a/b', text('x'));
      const puts = ['a', 'a/b/c', 'a/b/c/d'].map((key) => async () => {
        const fault = await faultOf(store.put(key, text(key)));
        expect(['conflict', 'none']).toContain(fault);
        const again = await faultOf(store.put(key, text('again'), { ifAbsent: true }));
        expect(['conflict', 'none']).toContain(again);
        expect(await read(key)).toEqual(
          again === 'conflict' ? undefined : text(fault === 'none' ? key : 'again'),
        );
        await store.delete(key);
      });
      for (const put of puts) await put();
      expect(await read('a/b')).toEqual(text('x'));
      expect(await keys('')).toEqual(['a/b']);
    });

    it.each(['', '/a', 'a/', 'a//b', '.', '..', 'a/../b', './a', 'a b', 'ä', 'a\\b', 'a\0', 'a'.repeat(513)])(
      'refuses the key %j',
      async (key) => {
        expect(await faultOf(store.put(key, text('x')))).toBe('invalid-key');
        expect(await faultOf(store.get(key))).toBe('invalid-key');
        expect(await faultOf(store.delete(key))).toBe('invalid-key');
      },
    );

    it('refuses a prefix that no key can begin with', async () => {
      expect(await faultOf(keys('../'))).toBe('invalid-key');
      expect(await faultOf(keys('/'))).toBe('invalid-key');
    });

    it('takes every key that the rules allow', async () => {
      const longest = `${'a'.repeat(255)}/${'b'.repeat(254)}/c`;
      for (const key of ['.hidden', '...', 'a..b/-', '_', longest]) {
        await store.put(key, text('x'));
        expect(await read(key)).toEqual(text('x'));
      }
    });

    it('stops at an aborted signal and leaves nothing', async () => {
      const controller = new AbortController();
      async function* aborting() {
        yield text('half');
        controller.abort(new Error('enough'));
        yield text('rest');
      }
      await expect(store.put('key', aborting(), { signal: controller.signal })).rejects.toThrow('enough');
      const { signal } = controller;
      await expect(store.put('key', text('x'), { signal })).rejects.toThrow('enough');
      await expect(store.get('key', { signal })).rejects.toThrow('enough');
      await expect(store.delete('key', { signal })).rejects.toThrow('enough');
      expect(await keys('')).toEqual([]);
    });
  });
}
