/** The bucket that everything lies in, made by a bootstrap. */
import { briefly } from './briefly.js';
import type { S3Options } from './connection.js';

/** Makes the bucket where it is missing. True where it was. */
export async function ensureBucket(options: S3Options): Promise<boolean> {
  const { bucket } = options;
  return briefly(options, async (client) => {
    if (await client.bucketExists(bucket)) return false;
    await client.makeBucket(bucket, options.region ?? '');
    return true;
  });
}
