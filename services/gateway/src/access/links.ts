/**
 * Links that are their own permission: what they open and until when, signed (HMAC-SHA-256). Nobody can make or change
 * one without the key; who has one may open that one thing, for a while.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { LinkOptions, ObjectLinks } from '@facet/store';
import { z } from 'zod';
import { Refusal } from '../http/problems.js';

const Claims = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('object'),
    key: z.string(),
    type: z.string(),
    name: z.string(),
    until: z.int(),
  }),
  /** One image out of a shard. */
  z.strictObject({ kind: z.literal('image'), key: z.string(), sample: z.string(), until: z.int() }),
]);
export type Claims = z.infer<typeof Claims>;

const PATH = '/v1/links/';

export class SignedLinks implements ObjectLinks {
  constructor(
    /** At least 32 random bytes, the same on every replica. */
    private readonly key: Uint8Array,
    private readonly now: () => number = Date.now,
  ) {}

  async link(key: string, { expiresInMs, fileName, contentType }: LinkOptions): Promise<string> {
    const until = this.now() + expiresInMs;
    return this.sign({ kind: 'object', key, type: contentType, name: fileName, until });
  }

  image(key: string, sample: string, expiresInMs: number): string {
    return this.sign({ kind: 'image', key, sample, until: this.now() + expiresInMs });
  }

  /** @throws {Refusal} where it was never given out like this, or has expired */
  open(link: string): Claims {
    const [text, signature] = link.split('.');
    const wanted = this.#mac(text);
    const given = Buffer.from(signature ?? '', 'base64url');
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted))
      throw new Refusal('not-found', 'this link was never given out');
    const claims = Claims.parse(JSON.parse(Buffer.from(text, 'base64url').toString()));
    if (claims.until <= this.now()) throw new Refusal('expired', 'this link has expired; ask for a new one');
    return claims;
  }

  private sign(claims: Claims): string {
    const text = Buffer.from(JSON.stringify(claims)).toString('base64url');
    return `${PATH}${text}.${this.#mac(text).toString('base64url')}`;
  }

  #mac(text: string): Buffer {
    return createHmac('sha256', this.key).update(`facet-link/v1.${text}`).digest();
  }
}
