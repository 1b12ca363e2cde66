/** The store's conformance on two S3 servers, and what happens when one is away. */
import { type LocalS3, programsFound, startMinio, startVersitygw } from '@facet/local';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { storeConformance } from '../conformance.js';
import { ensureBucket } from './bucket.js';
import { type S3Options } from './connection.js';
import { S3Store } from './store.js';

const servers = [
  { name: 'MinIO', program: 'minio', start: startMinio },
  { name: 'versitygw', program: 'versitygw', start: startVersitygw },
] as const;

describe.each(servers)('S3 on $name', ({ name, program, start }) => {
  describe.skipIf(!programsFound(program))('with a server', () => {
    let s3: LocalS3;
    let buckets = 0;
    beforeAll(async () => {
      s3 = await start();
    });
    afterAll(() => s3.server.stop());

    async function newBucket(more: Partial<S3Options> = {}) {
      const { url, accessKey, secretKey } = s3;
      const options = { url, accessKey, secretKey, bucket: `bucket-${buckets++}`, ...more };
      expect(await ensureBucket(options)).toBe(true);
      expect(await ensureBucket(options)).toBe(false);
      const store = new S3Store(options);
      return { store, close: async () => store.close() };
    }

    storeConformance(`S3 on ${name}`, newBucket);

    it('gives links that anybody can read, under the name and type that are wished', async () => {
      const { store, close } = await newBucket();
      await store.put('a/b.txt', new TextEncoder().encode('hello'));
      const wish = { expiresInMs: 60_000, fileName: 'käse "1".txt', contentType: 'text/plain' };
      const link = await store.link('a/b.txt', wish);
      const response = await fetch(link);
      expect(await response.text()).toBe('hello');
      expect(response.headers.get('content-type')).toBe('text/plain');
      expect(response.headers.get('content-disposition')).toContain('k%C3%A4se');
      expect((await fetch(link.replace('a/b.txt', 'a/c.txt'))).status).toBe(403);
      await close();
    });

    it('lets one of several streams in with ifAbsent, also when they are longer than a part', async () => {
      const { store, close } = await newBucket();
      async function* long(byte: number) {
        for (let i = 0; i < 9; i++) yield new Uint8Array(1024 * 1024).fill(byte);
      }
      const results = await Promise.all(
        [1, 2].map((byte) => store.put('key', long(byte), { ifAbsent: true })),
      );
      expect(results.filter(({ written }) => written)).toHaveLength(1);
      const bytes = await (await store.get('key'))!.bytes();
      expect(bytes.byteLength).toBe(9 * 1024 * 1024);
      const winner = results[0].written ? 1 : 2;
      expect(bytes.every((byte) => byte === winner)).toBe(true);
      await close();
    });

    it('waits while the server is away, and gives up at its limit and at the signal', async () => {
      const { store, close } = await newBucket();
      const hasty = await newBucket({ patienceMs: 1 });
      await store.put('key', new Uint8Array([1]));
      await s3.server.kill();
      await expect(hasty.store.get('key')).rejects.toMatchObject({ fault: 'unavailable', terminal: false });
      const controller = new AbortController();
      const stopped = store.get('key', { signal: controller.signal });
      controller.abort(new Error('enough'));
      await expect(stopped).rejects.toThrow('enough');
      const waiting = store.get('key').then((object) => object?.bytes());
      await s3.server.revive();
      expect(await waiting).toEqual(new Uint8Array([1]));
      await close();
      await hasty.close();
    });
  });
});
