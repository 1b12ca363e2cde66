/** Errors as problems (RFC 9457): the one place where what was thrown becomes what a client reads. */
import {
  type FieldError,
  pointerOf,
  type Problem,
  type ProblemKind,
  PROBLEMS,
  problemType,
} from '@facet/contracts';
import { InputError, RetryableError } from '@facet/runtime';
import type { z } from 'zod';

/** A refusal that a handler or the router decides on. */
export class Refusal extends Error {
  override readonly name = 'Refusal';

  constructor(
    readonly kind: ProblemKind,
    /** What is wrong this time, and what to do. */
    message: string,
    readonly more: {
      readonly errors?: readonly FieldError[];
      readonly retryAfterS?: number;
    } & ErrorOptions = {},
  ) {
    super(message, more);
  }
}

export const notFound = (what: string): Refusal => new Refusal('not-found', `there is no ${what}`);

/** Zod's findings about a part of the request. */
export function refuseInvalid(place: FieldError['in'], error: z.ZodError, kind: ProblemKind): Refusal {
  const errors = error.issues.map(({ path, message: detail }) => ({
    in: place,
    pointer: pointerOf(path),
    detail,
  }));
  const [first] = errors;
  return new Refusal(kind, `${first.in} ${first.pointer}: ${first.detail}`, { errors, cause: error });
}

/** `attacks[0].facets[1]` as the parts of a path. */
const partsOf = (field: string): string[] => field.split(/[.[\]]+/).filter((part) => part !== '');

interface ModelFault {
  readonly name: string;
  readonly problem?: string;
  readonly where?: string;
}

/** A refusal of what was sent; undefined for what is no fault of the client. */
function asRefusal(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error;
  if (error instanceof InputError) {
    const pointer = pointerOf(error.field === undefined ? [] : partsOf(error.field));
    const errors = [{ in: 'body', pointer, detail: error.problem }] as const;
    return new Refusal('unprocessable', error.message, { errors, cause: error });
  }
  if (error instanceof RetryableError)
    return new Refusal('unavailable', error.message, {
      cause: error,
      ...(error.retryAfterMs !== undefined && { retryAfterS: Math.ceil(error.retryAfterMs / 1000) }),
    });
  // Express and its parsers mark what the client did wrong by a status.
  const { status } = (error ?? {}) as { status?: unknown };
  if (status === 400) return new Refusal('invalid', (error as Error).message, { cause: error });
  return undefined;
}

/** What a checker in another process says of a model, whose error has lost its class. */
export function refuseModel(error: unknown): unknown {
  const { name, problem, where } = error as ModelFault;
  if (name !== 'ModelError' || problem === undefined) return error;
  const inManifest = /^manifest (.*)$/.exec(where ?? '');
  const pointer = inManifest ? pointerOf(['manifest', ...partsOf(inManifest[1])]) : pointerOf(['model']);
  const detail = where === undefined || inManifest ? problem : `${where}: ${problem}`;
  return new Refusal('unprocessable', `the model is refused: ${detail}`, {
    errors: [{ in: 'body', pointer, detail }],
    cause: error,
  });
}

/** The problem of an error; `unexpected` where it is ours and belongs in the log, of which the client learns nothing. */
export function problemOf(
  error: unknown,
  instance: string,
): { problem: Problem; retryAfterS?: number; unexpected: boolean } {
  const refusal = asRefusal(error);
  const kind = refusal?.kind ?? 'internal';
  const [status, title] = PROBLEMS[kind];
  const detail = refusal?.message ?? `the log has the reason, under ${instance}`;
  const { errors, retryAfterS } = refusal?.more ?? {};
  return {
    problem: {
      type: problemType(kind),
      title,
      status,
      detail,
      instance: `urn:facet:request:${instance}`,
      ...(errors && { errors: [...errors] }),
    },
    ...(retryAfterS !== undefined && { retryAfterS }),
    unexpected: refusal === undefined,
  };
}
