/**
 * API tokens: `facet_<id>_<secret>`, of which only a hash is stored. The secret is 256 random bits, so nobody guesses it;
 * it is hashed by scrypt with a salt of its own all the same, so that a store that leaks gives nothing away, and a
 * weaker secret of an older version would not either. A token that was verified is remembered for a moment, by a
 * digest: so long may a revoked one still be taken.
 */
import { createHash, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { type api, keys, ROLES } from '@facet/contracts';
import { type ListOptions, type ObjectStore, readJson, writeJson } from '@facet/store';
import { z } from 'zod';

const hashing = promisify<string, Buffer, number, { N: number; r: number; p: number }, Buffer>(scrypt);

/** 16 MiB and some 30 ms, on a thread of libuv. */
const COST = { N: 16_384, r: 8, p: 1 } as const;
const HASH_BYTES = 32;
const SECRET_BYTES = 32;
const REMEMBERED_MS = 30_000;
const MAX_REMEMBERED = 10_000;

/** `tokens/<id>.json`. */
const StoredToken = z.strictObject({
  schema: z.literal('facet.token/v1'),
  id: z.string(),
  name: z.string(),
  role: z.enum(ROLES),
  created: z.iso.datetime(),
  expires: z.iso.datetime().nullable(),
  salt: z.base64(),
  hash: z.base64(),
});
type StoredToken = z.infer<typeof StoredToken>;

const TOKEN = /^facet_([a-z0-9-]{1,40})_([A-Za-z0-9_-]{43})$/;

const infoOf = ({ id, name, role, created, expires }: StoredToken): api.TokenInfo => ({
  id,
  name,
  role,
  created,
  expires,
});

export interface TokenOptions extends api.TokenOrder {
  /** Instead of a random one: the token that had it ends. */
  readonly id?: string;
}

export class Tokens {
  readonly #remembered = new Map<string, { readonly info: api.TokenInfo; readonly until: number }>();

  constructor(
    private readonly store: ObjectStore,
    private readonly now: () => number = Date.now,
  ) {}

  /** The token itself is in the result, this once. */
  async create({ name, role, days, id = randomBytes(6).toString('hex') }: TokenOptions) {
    const secret = randomBytes(SECRET_BYTES).toString('base64url');
    const salt = randomBytes(16);
    const created = this.now();
    const stored: StoredToken = {
      schema: 'facet.token/v1',
      id,
      name,
      role,
      created: new Date(created).toISOString(),
      expires: days === undefined ? null : new Date(created + days * 86_400_000).toISOString(),
      salt: salt.toString('base64'),
      hash: (await hashing(secret, salt, HASH_BYTES, COST)).toString('base64'),
    };
    await writeJson(this.store, keys.token.one(id), stored);
    return { ...infoOf(stored), token: `facet_${id}_${secret}` };
  }

  /** Whose token it is; undefined for one that is unknown, wrong, revoked or expired. */
  async verify(token: string): Promise<api.TokenInfo | undefined> {
    const [, id, secret] = TOKEN.exec(token) ?? [];
    if (id === undefined) return undefined;
    const digest = createHash('sha256').update(token).digest('base64');
    const known = this.#remembered.get(digest);
    if (known !== undefined && known.until > this.now()) return this.#alive(known.info);
    const stored = await readJson(this.store, keys.token.one(id), (value) => StoredToken.parse(value));
    if (stored === undefined) return undefined;
    const hash = await hashing(secret, Buffer.from(stored.salt, 'base64'), HASH_BYTES, COST);
    if (!timingSafeEqual(hash, Buffer.from(stored.hash, 'base64'))) return undefined;
    const info = infoOf(stored);
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
    this.#remembered.set(digest, { info, until: this.now() + REMEMBERED_MS });
    return this.#alive(info);
  }

  async list(after: string | undefined, limit: number): Promise<api.TokenInfo[]> {
    const found: api.TokenInfo[] = [];
    const options: ListOptions = after === undefined ? {} : { after: keys.token.one(after) };
    for await (const { key } of this.store.list(keys.token.all, options)) {
      const stored = await readJson(this.store, key, (value) => StoredToken.parse(value));
      if (stored !== undefined) found.push(infoOf(stored));
      if (found.length === limit) break;
    }
    return found;
  }

  /** False where there is no such token. */
  async revoke(id: string): Promise<boolean> {
    if ((await this.store.get(keys.token.one(id))) === undefined) return false;
    await this.store.delete(keys.token.one(id));
    for (const [digest, { info }] of this.#remembered) if (info.id === id) this.#remembered.delete(digest);
    return true;
  }

  #alive(info: api.TokenInfo): api.TokenInfo | undefined {
    return info.expires !== null && Date.parse(info.expires) <= this.now() ? undefined : info;
  }
}
