/**
 * Puts of a body whose size nobody knows: what fits into one part goes in one request, anything longer as a multipart
 * upload that becomes visible as a whole when it is completed, and is aborted when it is not. (The client's own
 * streaming put takes over another writer's unfinished upload of the same key, so the parts of two would mix.)
 */
import type { Client } from 'minio';
import type { Body } from '../port.js';
import { type Patience, patiently } from './faults.js';

/** The memory that a stream takes; S3 allows 10,000 parts of at least 5 MiB, so objects up to 78 GiB. */
const PART_BYTES = 8 * 1024 * 1024;

export interface Upload {
  readonly client: Client;
  readonly bucket: string;
  readonly key: string;
  /** Such as `if-none-match`; they decide when the object would become visible. */
  readonly headers: Readonly<Record<string, string>>;
  readonly patience: Patience;
}

/** Bytes stored. */
export async function upload(to: Upload, body: Body): Promise<number> {
  if (body instanceof Uint8Array) {
    await putWhole(to, asBuffer(body));
    return body.byteLength;
  }
  const parts = inParts(body, to.patience.signal);
  const first = await parts.next();
  const whole = first.done ? Buffer.alloc(0) : first.value;
  const second = await parts.next();
  if (second.done) {
    await putWhole(to, whole);
    return whole.byteLength;
  }
  return putParts(to, [whole, second.value], parts);
}

async function putWhole({ client, bucket, key, headers, patience }: Upload, body: Buffer): Promise<void> {
  await patiently(key, patience, () => client.putObject(bucket, key, body, body.byteLength, { ...headers }));
}

async function putParts(to: Upload, first: readonly Buffer[], rest: AsyncIterable<Buffer>): Promise<number> {
  const { client, bucket, key, patience } = to;
  const uploadID = await patiently(key, patience, () => client.initiateNewMultipartUpload(bucket, key, {}));
  const parts: { part: number; etag: string }[] = [];
  let size = 0;
  const send = async (body: Buffer) => {
    const partNumber = parts.length + 1;
    const where = { bucketName: bucket, objectName: key, uploadID, partNumber, headers: {} };
    const { etag } = await patiently(key, patience, () => client.uploadPart(where, body));
    parts.push({ part: partNumber, etag });
    size += body.byteLength;
  };
  try {
    for (const body of first) await send(body);
    for await (const body of rest) await send(body);
    patience.signal?.throwIfAborted();
    await patiently(key, patience, () => complete(to, uploadID, parts));
    return size;
  } catch (error) {
    await client.abortMultipartUpload(bucket, key, uploadID).catch(() => undefined);
    throw error;
  }
}

/** Makes the parts one object. The client's own method sends no conditions. */
async function complete(
  { client, bucket, key, headers }: Upload,
  uploadID: string,
  parts: readonly { part: number; etag: string }[],
): Promise<void> {
  const listed = parts.map(
    ({ part, etag }) => `<Part><PartNumber>${part}</PartNumber><ETag>"${etag}"</ETag></Part>`,
  );
  const document = `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${listed.join('')}</CompleteMultipartUpload>`;
  const response = await client.makeRequestAsync(
    {
      method: 'POST',
      bucketName: bucket,
      objectName: key,
      query: `uploadId=${encodeURIComponent(uploadID)}`,
      headers: { ...headers },
    },
    document,
  );
  const text: string[] = [];
  for await (const chunk of response) text.push(String(chunk));
  // S3 answers 200 before it knows, and may say in the body that it failed.
  const code = /<Code>(\w+)<\/Code>/.exec(text.join(''))?.[1];
  if (code !== undefined) throw Object.assign(new Error(`the upload was not completed: ${code}`), { code });
}

/** Cuts a stream into parts of {@link PART_BYTES}; the last one is shorter. */
async function* inParts(body: AsyncIterable<Uint8Array>, signal?: AbortSignal): AsyncGenerator<Buffer> {
  let waiting: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    signal?.throwIfAborted();
    for (let from = 0; from < chunk.byteLength;) {
      const piece = chunk.subarray(from, from + PART_BYTES - bytes);
      waiting.push(Buffer.from(piece));
      bytes += piece.byteLength;
      from += piece.byteLength;
      if (bytes < PART_BYTES) continue;
      yield Buffer.concat(waiting);
      [waiting, bytes] = [[], 0];
    }
  }
  signal?.throwIfAborted();
  if (bytes > 0) yield Buffer.concat(waiting);
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
