/** Zod's findings as lines that name the file and the field, the way people write paths: `samples[3].label`. */
import type { z } from 'zod';

/** `a[0].b` for ['a', 0, 'b']. */
export function formatPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, part) =>
      typeof part === 'number' ? `${text}[${part}]` : text === '' ? String(part) : `${text}.${String(part)}`,
    '',
  );
}

/** One line per finding. */
export const formatIssues = (error: z.ZodError): string[] =>
  error.issues.map((issue) => {
    const path = formatPath(issue.path);
    return path === '' ? issue.message : `${path}: ${issue.message}`;
  });
