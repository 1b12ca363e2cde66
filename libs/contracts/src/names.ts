/** Names and numbers that appear in keys, subjects and manifests: what they may look like. */
import { z } from 'zod';

/** A name that is safe in an object key, a NATS subject token and a file name: no dot, slash or space. */
export const Name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be lower-case letters, digits and dashes, at most 63 of them');

/** A version: like a name, with dots and underscores allowed inside, so that 1.5_128 fits. */
export const Version = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/, 'must be letters, digits, dots, dashes, at most 63')
  .refine((text) => !text.includes('..'), 'must not contain ..');

/** SHA-256 in lower-case hex. */
export const Digest = z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 digest in lower-case hex');

/** A facet's name: the five auxiliary ones, `live`, or one that a manifest gives to a tensor of its graph. */
export const FacetName = Name;

/** Name and version of a model or a dataset. */
export const Ref = z.strictObject({ name: Name, version: Version });
export type Ref = z.infer<typeof Ref>;

/** `name@version`, as people write it. */
export const formatRef = (ref: Ref): string => `${ref.name}@${ref.version}`;
