/** Every refusal over HTTP: RFC 9457, `application/problem+json`, with the fields that are wrong. */
import { z } from 'zod';

export const PROBLEM_TYPE = 'application/problem+json';

/** One thing that is wrong. */
export const FieldError = z.strictObject({
  /** Where the field is. */
  in: z.enum(['body', 'path', 'query', 'header']),
  /** JSON pointer as a URI fragment (RFC 6901, 6): `#/plan/attacks/0/facets`. */
  pointer: z.string().regex(/^#(\/.*)?$/),
  detail: z.string(),
});
export type FieldError = z.infer<typeof FieldError>;

export const Problem = z
  .strictObject({
    /** Which kind of problem, stable for programs. */
    type: z.string(),
    title: z.string(),
    status: z.int().min(400).max(599),
    /** What is wrong this time, and what to do. */
    detail: z.string(),
    /** Of the request: the same in the log and in the audit. */
    instance: z.string(),
    errors: z.array(FieldError).optional(),
  })
  .describe('RFC 9457 problem details');
export type Problem = z.infer<typeof Problem>;

/** Kinds of problems: the last part of `type`, with its status and title. */
export const PROBLEMS = {
  invalid: [400, 'The request is not what it should be'],
  unauthenticated: [401, 'A valid token is needed'],
  forbidden: [403, 'The role of this token does not allow this'],
  'not-found': [404, 'There is no such thing'],
  'method-not-allowed': [405, 'This cannot be done here'],
  timeout: [408, 'The request came too slowly'],
  conflict: [409, 'This contradicts what is there'],
  expired: [410, 'This link has expired'],
  'too-large': [413, 'The request is too large'],
  'media-type': [415, 'This content type is not taken here'],
  unprocessable: [422, 'What was sent cannot be accepted'],
  'too-many': [429, 'Too many requests'],
  internal: [500, 'Something failed here'],
  unavailable: [503, 'Not available just now'],
} as const satisfies Record<string, readonly [status: number, title: string]>;
export type ProblemKind = keyof typeof PROBLEMS;

export const problemType = (kind: ProblemKind): string => `urn:facet:problem:${kind}`;

/** `#/a/0/b` for ['a', 0, 'b'] (RFC 6901). */
export const pointerOf = (path: readonly PropertyKey[]): string =>
  `#${path
    .map((part) => `/${encodeURIComponent(String(part).replaceAll('~', '~0').replaceAll('/', '~1'))}`)
    .join('')}`;
