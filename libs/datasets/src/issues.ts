/** Says what a schema found wrong in the way that people look for it: `samples[3].label`. */
import { formatPath } from '@facet/contracts';
import type { z } from 'zod';
import { DatasetError } from './errors.js';

/** The first issue as an error; one mistake tends to cause the others. */
export function invalid(error: z.ZodError, file: string): DatasetError {
  const [first, ...more] = error.issues;
  const rest = more.length > 0 ? ` (and ${more.length} more)` : '';
  return new DatasetError(`${first.message}${rest}`, file, formatPath(first.path), { cause: error });
}
