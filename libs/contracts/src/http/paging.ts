/** Lists come in pages: `next` is an opaque cursor for the page that follows, null on the last one. */
import { z } from 'zod';
import { Ref } from '../names.js';

export const MAX_PAGE = 200;

const wholeNumber = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(least).max(most));

export const Paging = z.strictObject({
  /** Entries of a page. */
  limit: wholeNumber(1, MAX_PAGE).default(50),
  /** The `next` of the page before. */
  cursor: z.string().min(1).max(1000).optional(),
});
export type Paging = z.infer<typeof Paging>;

/** A number in a path or a query. */
export const WholeNumber = wholeNumber(0, Number.MAX_SAFE_INTEGER);

export const pageOf = <S extends z.ZodType>(item: S) =>
  z.strictObject({ items: z.array(item), next: z.string().nullable() });

/** `name@version` in a query. */
export const RefText = z
  .string()
  .max(130)
  .transform((text, ctx) => {
    const [name, version, ...more] = text.split('@');
    const ref = Ref.safeParse({ name, version }).data;
    if (ref !== undefined && more.length === 0) return ref;
    ctx.addIssue({ code: 'custom', message: 'must be name@version' });
    return z.NEVER;
  });
