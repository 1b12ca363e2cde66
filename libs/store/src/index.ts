// The object store port and its folder adapter: atomic writes, deterministic keys.
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
