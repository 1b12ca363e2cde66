/**
 * Idempotency keys: the first request with a key is carried out and its answer kept for a day; a repeated one gets that
 * answer. A key belongs to a token and a route, so that nobody meets another's answers.
 */
import { keys } from '@facet/contracts';
import { digestOf } from '@facet/catalog';
import { type ObjectStore, readJson, writeJson } from '@facet/store';
import { z } from 'zod';
import type { AnyAnswer } from './handlers.js';
import { Refusal } from './problems.js';

const KEPT_MS = 24 * 3_600_000;
/** Longer than any request: whoever claimed the key has died. */
const CLAIM_MS = 15 * 60_000;

const Entry = z.strictObject({
  schema: z.literal('facet.idempotency/v1'),
  /** Digest of what was asked. */
  asked: z.string(),
  /** Null while it is being carried out. */
  answer: z.strictObject({ status: z.int(), body: z.unknown(), location: z.string().optional() }).nullable(),
});
type Entry = z.infer<typeof Entry>;

export interface IdempotentRequest {
  readonly token: string;
  readonly route: string;
  /** The header; without one it is simply carried out. */
  readonly key: string | undefined;
  readonly asked: unknown;
}

export class Idempotency {
  constructor(
    private readonly store: ObjectStore,
    private readonly now: () => number = Date.now,
  ) {}

  /** @throws {Refusal} where the key was used for something else, or the first request with it is still under way */
  async once(
    { token, route, key, asked }: IdempotentRequest,
    act: () => Promise<AnyAnswer>,
  ): Promise<AnyAnswer & { readonly replayed?: boolean }> {
    if (key === undefined) return act();
    if (!/^[!-~]{1,200}$/.test(key)) {
      const detail = 'must be 1 to 200 printable characters';
      throw new Refusal('invalid', `header Idempotency-Key: ${detail}`, {
        errors: [{ in: 'header', pointer: '#/idempotency-key', detail }],
      });
    }
    const place = keys.idempotency.one(digestOf({ token, route, key }));
    const claim: Entry = { schema: 'facet.idempotency/v1', asked: digestOf(asked), answer: null };
    for (;;) {
      const { written } = await writeJson(this.store, place, claim, { ifAbsent: true });
      if (written) break;
      const known = await this.#known(place, claim.asked);
      if (known !== undefined) return { ...known, replayed: true };
    }
    try {
      const answer = await act();
      const { status, body, location } = answer;
      await writeJson(this.store, place, { ...claim, answer: { status, body, location } });
      return answer;
    } catch (error) {
      // Nothing was done, so the key is free again.
      await this.store.delete(place);
      throw error;
    }
  }

  /** The answer of the first request; undefined where its entry is out of date, and gone now. */
  async #known(place: string, asked: string): Promise<AnyAnswer | undefined> {
    const found = await this.store.get(place);
    const entry = await readJson(this.store, place, (value) => Entry.parse(value));
    if (found === undefined || entry === undefined) return undefined;
    const age = this.now() - found.modified;
    if (age > (entry.answer === null ? CLAIM_MS : KEPT_MS)) {
      await this.store.delete(place);
      return undefined;
    }
    if (entry.asked !== asked)
      throw new Refusal(
        'unprocessable',
        'this Idempotency-Key was used for another request; choose a new one',
      );
    if (entry.answer === null)
      throw new Refusal('conflict', 'the first request with this Idempotency-Key is still under way', {
        retryAfterS: 1,
      });
    const { status, body, location } = entry.answer;
    return { status, body, ...(location !== undefined && { location }) };
  }
}
