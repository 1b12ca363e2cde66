/** How long to wait before the next attempt: longer each time, and never in step with others. */

export interface Backoff {
  readonly firstMs: number;
  readonly longestMs: number;
}

export const DEFAULT_BACKOFF: Backoff = { firstMs: 1_000, longestMs: 5 * 60_000 };

/**
 * Doubles from `firstMs` up to `longestMs`, less a random part of up to half.
 * @param attempt the one that failed, 1 for the first
 * @param random gives numbers in [0, 1)
 */
export function backoffMs(attempt: number, random: () => number, backoff: Backoff = DEFAULT_BACKOFF): number {
  const full = Math.min(backoff.longestMs, backoff.firstMs * 2 ** (attempt - 1));
  return Math.round(full * (1 - random() / 2));
}
