/** The bucket that everything lies in, made by a bootstrap. */
import { connectS3, type S3Options } from './connection.js';
import { patiently } from './faults.js';

const PATIENCE_MS = 60_000;

/** Makes the bucket where it is missing. True where it was. */
export async function ensureBucket(options: S3Options): Promise<boolean> {
  const { client, close } = connectS3(options);
  const { bucket, patienceMs = PATIENCE_MS } = options;
  try {
    return await patiently(bucket, { limitMs: patienceMs }, async () => {
      if (await client.bucketExists(bucket)) return false;
      await client.makeBucket(bucket, options.region ?? '');
      return true;
    });
  } finally {
    close();
  }
}
