/** Whether a server holds another secret of a user than we do, asked of it as that user: it tells no administrator. */
import { briefly } from './briefly.js';
import type { S3Options } from './connection.js';
import { codeOf } from './faults.js';

/** Whether it is there, or may be read, does not matter. */
const ANY_KEY = 'facet';
const ANSWERS = new Set(['NoSuchKey', 'AccessDenied', 'InvalidAccessKeyId']);

/** False too where the user is unknown or disabled. @throws {StoreError} while the server cannot be reached */
export async function hasOtherSecret(options: S3Options): Promise<boolean> {
  return briefly(options, async (client) => {
    try {
      (await client.getObject(options.bucket, ANY_KEY)).destroy();
      return false;
    } catch (error) {
      if (codeOf(error) === 'SignatureDoesNotMatch') return true;
      if (ANSWERS.has(codeOf(error))) return false;
      throw error;
    }
  });
}
