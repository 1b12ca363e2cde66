/**
 * The store on an S3 server: MinIO, versitygw and others. `ifAbsent` is a conditional put (`If-None-Match: *`), so the
 * server decides between racing writers. While the server is away, an operation waits and tries again, up to its
 * patience: an outage of seconds must not use up a job's attempts.
 */
import type { IncomingMessage } from 'node:http';
import type { BucketItem } from 'minio';
import { checkFolder, checkKey, checkPrefix } from '../keys.js';
import { type LinkOptions, type ObjectLinks } from '../links.js';
import {
  type Body,
  type ListedObject,
  type ListOptions,
  type ObjectStore,
  type PutOptions,
  type PutResult,
  StoreError,
  type StoredObject,
  type StoreOptions,
} from '../port.js';
import { connectS3, type S3Connection, type S3Options } from './connection.js';
import { faultOf, isAbsent, isTaken, type Patience, patiently } from './faults.js';
import { inNameOrder } from './folders.js';
import { upload } from './upload.js';

/** Outages up to this long are waited out; a job's heartbeats go on meanwhile. */
const DEFAULT_PATIENCE_MS = 120_000;
const PAGE = 1000;

export class S3Store implements ObjectStore, ObjectLinks {
  private readonly connection: S3Connection;
  private readonly links: S3Connection;
  private readonly bucket: string;
  private readonly limitMs: number;

  /** Nothing is sent before the first operation. */
  constructor(options: S3Options) {
    this.connection = connectS3(options);
    this.links = connectS3({ ...options, url: options.linkUrl ?? options.url });
    this.bucket = options.bucket;
    this.limitMs = options.patienceMs ?? DEFAULT_PATIENCE_MS;
  }

  async put(key: string, body: Body, options: PutOptions = {}): Promise<PutResult> {
    checkKey(key);
    options.signal?.throwIfAborted();
    const headers: Record<string, string> = options.ifAbsent ? { 'if-none-match': '*' } : {};
    const { client } = this.connection;
    for (;;) {
      if (options.ifAbsent) {
        const standing = await this.get(key, options);
        if (standing !== undefined) return { written: false, size: standing.size };
      }
      try {
        const patience = this.patience(options);
        const size = await upload({ client, bucket: this.bucket, key, headers, patience }, body);
        return { written: true, size };
      } catch (error) {
        if (!isTaken(error)) throw error;
        const standing = await this.get(key, options);
        if (standing !== undefined) return { written: false, size: standing.size };
        // It was deleted in between: the place is free again. A stream cannot be read twice.
        if (!(body instanceof Uint8Array))
          throw new StoreError('gone', key, 'was deleted while it was written');
      }
    }
  }

  async get(key: string, options: StoreOptions = {}): Promise<StoredObject | undefined> {
    checkKey(key);
    options.signal?.throwIfAborted();
    const patience = this.patience(options);
    const { client } = this.connection;
    try {
      const { size, lastModified } = await patiently(key, patience, () =>
        client.statObject(this.bucket, key),
      );
      return {
        key,
        size,
        modified: lastModified.getTime(),
        bytes: () => this.bytes(key, patience),
        stream: () => this.stream(key, patience),
      };
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncGenerator<ListedObject> {
    checkPrefix(prefix);
    for await (const { name, size, lastModified } of this.pages(prefix, '', options)) {
      // Some servers list folders that were once made in them; no key of ours ends with a slash.
      if (name !== undefined && lastModified !== undefined && !name.endsWith('/'))
        yield { key: name, size, modified: new Date(lastModified).getTime() };
    }
  }

  async *folders(prefix: string, { after = '', ...options }: ListOptions = {}): AsyncGenerator<string> {
    checkFolder(prefix);
    const from = after === '' ? options : { ...options, after: `${prefix}${after}` };
    const names = async function* (pages: AsyncIterable<BucketItem>) {
      for await (const { prefix: folder } of pages)
        if (folder !== undefined) yield folder.slice(prefix.length, -1);
    };
    for await (const name of inNameOrder(names(this.pages(prefix, '/', from)))) if (name > after) yield name;
  }

  async delete(key: string, options: StoreOptions = {}): Promise<void> {
    checkKey(key);
    const { client } = this.connection;
    try {
      await patiently(key, this.patience(options), () => client.removeObject(this.bucket, key));
    } catch (error) {
      if (!isAbsent(error)) throw error;
    }
  }

  link(key: string, { expiresInMs, fileName, contentType }: LinkOptions): Promise<string> {
    const seconds = Math.max(1, Math.floor(expiresInMs / 1000));
    return this.links.client.presignedGetObject(this.bucket, checkKey(key), seconds, {
      'response-content-type': contentType,
      'response-content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(fileName)}`,
    });
  }

  /** Whether the store answers and the bucket is there, without patience. For readiness. */
  async check(): Promise<void> {
    const found = await this.connection.client.bucketExists(this.bucket);
    if (!found) throw new StoreError('unavailable', this.bucket, 'the bucket is not there');
  }

  /** Closes idle connections. */
  close(): void {
    this.connection.close();
    this.links.close();
  }

  private patience({ signal }: StoreOptions): Patience {
    return { signal, limitMs: this.limitMs };
  }

  /** Objects, or with a delimiter also folders, as the server lists them. */
  private async *pages(
    prefix: string,
    delimiter: string,
    { signal, after = '' }: ListOptions,
  ): AsyncGenerator<BucketItem> {
    const { client } = this.connection;
    const patience = this.patience({ ...(signal && { signal }) });
    let token = '';
    do {
      const page = await patiently(prefix, patience, () =>
        client.listObjectsV2Query(this.bucket, prefix, token, delimiter, PAGE, after),
      );
      for (const item of page.objects) {
        signal?.throwIfAborted();
        yield item;
      }
      token = page.isTruncated ? page.nextContinuationToken : '';
    } while (token !== '');
  }

  private async bytes(key: string, patience: Patience): Promise<Uint8Array> {
    return this.reading(key, () =>
      patiently(key, patience, async () => {
        const parts: Buffer[] = [];
        for await (const chunk of await this.open(key, 0)) parts.push(chunk as Buffer);
        return new Uint8Array(Buffer.concat(parts));
      }),
    );
  }

  /** Goes on where a connection broke, as long as it is still the same object. */
  private async *stream(key: string, patience: Patience): AsyncGenerator<Uint8Array> {
    let read = 0;
    let etag: string | undefined;
    let last: unknown;
    for (;;) {
      const from: IncomingMessage = await this.reading(key, () =>
        patiently(key, patience, () => this.open(key, read, etag)),
      );
      etag ??= from.headers.etag;
      const size = read + Number(from.headers['content-length'] ?? 0);
      try {
        for await (const chunk of from) {
          const bytes = chunk as Buffer;
          read += bytes.byteLength;
          yield new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
          patience.signal?.throwIfAborted();
        }
        if (read >= size) return;
        last = new Error(`the connection ended after ${read} of ${size} bytes`);
      } catch (error) {
        patience.signal?.throwIfAborted();
        const fault = faultOf(key, error);
        if (!(fault instanceof StoreError && fault.fault === 'unavailable') || error === last) throw fault;
        last = error;
      } finally {
        from.destroy();
      }
    }
  }

  private open(key: string, from: number, etag?: string): Promise<IncomingMessage> {
    const headers: Record<string, string> = {};
    if (from > 0) headers['range'] = `bytes=${from}-`;
    if (etag !== undefined) headers['if-match'] = etag;
    const { client } = this.connection;
    return client.makeRequestAsync(
      { method: 'GET', bucketName: this.bucket, objectName: key, headers },
      '',
      [200, 206],
    );
  }

  private async reading<T>(key: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      if (isAbsent(cause) || isTaken(cause))
        throw new StoreError('gone', key, 'was deleted or replaced', { cause });
      throw cause;
    }
  }
}
