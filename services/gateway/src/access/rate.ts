/** How often somebody may come: a bucket of tokens for each, which fills at a steady rate. */

export interface Rate {
  readonly perSecond: number;
  /** What an idle client may do at once. */
  readonly burst: number;
}

/** Beyond so many clients the oldest are forgotten, which only gives them a full bucket. */
const MAX_CLIENTS = 10_000;

export class RateLimit {
  readonly #buckets = new Map<string, { level: number; at: number }>();

  constructor(
    private readonly rate: Rate,
    private readonly now: () => number = Date.now,
  ) {}

  /** Seconds until the client may come again; 0 where it may come now, which counts. */
  take(client: string): number {
    const { perSecond, burst } = this.rate;
    const at = this.now();
    const known = this.#buckets.get(client) ?? { level: burst, at };
    const level = Math.min(burst, known.level + ((at - known.at) / 1000) * perSecond);
    this.#buckets.delete(client);
    this.#buckets.set(client, { level: level >= 1 ? level - 1 : level, at });
    if (this.#buckets.size > MAX_CLIENTS) {
      const [oldest] = this.#buckets.keys();
      this.#buckets.delete(oldest);
    }
    return level >= 1 ? 0 : (1 - level) / perSecond;
  }
}
