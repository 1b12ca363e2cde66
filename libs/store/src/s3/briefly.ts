/** One question to an S3 server, over a connection of its own: what bootstrap does before any store is open. */
import type { Client } from 'minio';
import { connectS3, type S3Options } from './connection.js';
import { patiently } from './faults.js';

const PATIENCE_MS = 60_000;

/** @throws {StoreError} of fault `unavailable` while the server cannot be reached */
export async function briefly<T>(options: S3Options, ask: (client: Client) => Promise<T>): Promise<T> {
  const { client, close } = connectS3(options);
  const { bucket, patienceMs = PATIENCE_MS } = options;
  try {
    return await patiently(bucket, { limitMs: patienceMs }, () => ask(client));
  } finally {
    close();
  }
}
