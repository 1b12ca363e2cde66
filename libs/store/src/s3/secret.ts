/** Whether a server holds another secret of a user than we do, asked of it as that user: it tells no administrator. */
import { connectS3, type S3Options } from './connection.js';
import { codeOf, patiently } from './faults.js';

const PATIENCE_MS = 60_000;
/** Whether it is there, or may be read, does not matter. */
const ANY_KEY = 'facet';
const ANSWERS = new Set(['NoSuchKey', 'AccessDenied', 'InvalidAccessKeyId']);

/** False too where the user is unknown or disabled. @throws {StoreError} while the server cannot be reached */
export async function hasOtherSecret(options: S3Options): Promise<boolean> {
  const { client, close } = connectS3(options);
  const { bucket, patienceMs = PATIENCE_MS } = options;
  const ask = async (): Promise<boolean> => {
    try {
      (await client.getObject(bucket, ANY_KEY)).destroy();
      return false;
    } catch (error) {
      if (codeOf(error) === 'SignatureDoesNotMatch') return true;
      if (ANSWERS.has(codeOf(error))) return false;
      throw error;
    }
  };
  try {
    return await patiently(bucket, { limitMs: patienceMs }, ask);
  } finally {
    close();
  }
}
