/** What a key may look like, so that it means the same in S3, in a URL and in a file system. */
import { StoreError } from './port.js';

export const MAX_KEY_LENGTH = 512;
/** File systems refuse longer names. */
export const MAX_KEY_PART_LENGTH = 255;

const CHARACTERS = /^[a-zA-Z0-9._/-]*$/;

function fault(text: string): string | undefined {
  if (text.length > MAX_KEY_LENGTH) return `is longer than ${MAX_KEY_LENGTH} characters`;
  if (!CHARACTERS.test(text)) return 'may hold only letters, digits and . _ / -';
  if (text.startsWith('/')) return 'must not begin with /';
  if (text.includes('//')) return 'must not hold an empty part (//)';
  for (const part of text.split('/')) {
    if (part === '.' || part === '..') return `must not hold the part "${part}"`;
    if (part.length > MAX_KEY_PART_LENGTH) return `has a part longer than ${MAX_KEY_PART_LENGTH} characters`;
  }
  return undefined;
}

/** Throws a {@link StoreError} of fault `invalid-key` that says what is wrong; returns the key. */
export function checkKey(key: string): string {
  const wrong = key === '' ? 'is empty' : key.endsWith('/') ? 'must not end with /' : fault(key);
  if (wrong !== undefined) throw new StoreError('invalid-key', key, wrong);
  return key;
}

/** As {@link checkKey}, for the beginning of a key: it may be empty and may end with a slash. */
export function checkPrefix(prefix: string): string {
  const wrong = fault(prefix);
  if (wrong !== undefined) throw new StoreError('invalid-key', prefix, wrong);
  return prefix;
}

/** As {@link checkPrefix}, where the prefix must be empty or end with a slash. */
export function checkFolder(prefix: string): string {
  if (prefix !== '' && !prefix.endsWith('/')) throw new StoreError('invalid-key', prefix, 'must end with /');
  return checkPrefix(prefix);
}
