// The object store port, its folder and S3 adapters: atomic writes, deterministic keys.
export { type LinkOptions, type ObjectLinks } from './links.js';
export {
  type Body,
  type ListedObject,
  type ListOptions,
  type ObjectStore,
  type PutOptions,
  type PutResult,
  StoreError,
  type StoredObject,
  type StoreFault,
  type StoreOptions,
} from './port.js';
export { checkFolder, checkKey, checkPrefix, MAX_KEY_LENGTH, MAX_KEY_PART_LENGTH } from './keys.js';
export { FolderStore } from './folder.js';
export { canonicalJson, readJson, writeJson } from './json.js';
export { type S3Options } from './s3/connection.js';
export { ensureBucket } from './s3/bucket.js';
export { hasOtherSecret } from './s3/secret.js';
export { S3Store } from './s3/store.js';
export { policyDocument, type StoreRights } from './s3/policy.js';
