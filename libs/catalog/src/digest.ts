/** Content digests: identities that depend on bytes alone. */
import { createHash } from 'node:crypto';
import { canonicalJson } from '@facet/store';

export const sha256 = (bytes: Uint8Array | string): string =>
  createHash('sha256').update(bytes).digest('hex');

/** Digest of a plain value's canonical JSON. */
export const digestOf = (value: unknown): string => sha256(canonicalJson(value));
