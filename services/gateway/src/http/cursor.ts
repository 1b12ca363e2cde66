/** Cursors of lists: the key after which the next page begins, in a form that promises nothing to who reads it. */
import { Refusal } from './problems.js';

const PREFIX = 'c1.';

export const encodeCursor = (after: string): string => Buffer.from(`${PREFIX}${after}`).toString('base64url');

/** @throws {Refusal} where the text was never a cursor of this list, by `pattern` */
export function decodeCursor(cursor: string | undefined, pattern: RegExp): string | undefined {
  if (cursor === undefined) return undefined;
  const text = Buffer.from(cursor, 'base64url').toString();
  const after = text.slice(PREFIX.length);
  if (!text.startsWith(PREFIX) || encodeCursor(after) !== cursor || !pattern.test(after)) {
    const detail = 'is not the `next` of a page of this list';
    throw new Refusal('invalid', `query cursor: ${detail}`, {
      errors: [{ in: 'query', pointer: '#/cursor', detail }],
    });
  }
  return after;
}

/** A page of `limit`, where `found` holds one more if there is a next page. */
export function pageOf<T>(found: readonly T[], limit: number, cursorOf: (last: T) => string) {
  const items = found.slice(0, limit);
  return { items, next: found.length > limit ? encodeCursor(cursorOf(items[limit - 1])) : null };
}
