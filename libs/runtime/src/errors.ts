/**
 * The error tree. A handler only says whether trying again can help; the handler loop alone turns that into ack, nak
 * or term. Ids of what it is about are fields, so that a log or a dead letter can be searched for them.
 */

export interface FacetErrorOptions extends ErrorOptions {
  readonly ids?: Readonly<Record<string, string | number>>;
}

export class FacetError extends Error {
  override readonly name: string = 'FacetError';
  readonly ids: Readonly<Record<string, string | number>>;

  constructor(message: string, options: FacetErrorOptions = {}) {
    super(message, options);
    this.ids = options.ids ?? {};
  }
}

/** The same event will fail again: it is given up at once. */
export class TerminalError extends FacetError {
  override readonly name: string = 'TerminalError';
  readonly terminal = true;
}

/** What somebody gave us is wrong; the message says what to change, `field` and `file` say where. */
export class InputError extends TerminalError {
  override readonly name: string = 'InputError';
  readonly field: string | undefined;
  readonly file: string | undefined;

  constructor(
    /** What is wrong, without the place. */
    readonly problem: string,
    options: FacetErrorOptions & { field?: string; file?: string } = {},
  ) {
    super([options.file, options.field, problem].filter((part) => part !== undefined).join(': '), options);
    this.field = options.field;
    this.file = options.file;
  }
}

/** Has the errors of `work` that name a field name its file too. */
export async function inFile<T>(file: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof InputError) || cause.file !== undefined) throw cause;
    const { problem, field, ids } = cause;
    throw new InputError(problem, { file, ...(field !== undefined && { field }), ids, cause });
  }
}

/** Another attempt may succeed, where it is known not before `retryAfterMs`. */
export class RetryableError extends FacetError {
  override readonly name: string = 'RetryableError';
  readonly terminal = false;
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options: FacetErrorOptions & { retryAfterMs?: number } = {}) {
    super(message, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** An attempt took longer than its handler allows; its signal was aborted with this. */
export class TimeLimitError extends RetryableError {
  override readonly name: string = 'TimeLimitError';
  constructor(readonly limitMs: number) {
    super(`the attempt took longer than its limit of ${limitMs} ms`);
  }
}

/** Refusals of the libraries below, which know no runtime: the same input always gives the same error. */
const TERMINAL_NAMES = new Set(['ModelError', 'DatasetError', 'DivergedError']);

/**
 * Whether an error says that trying again is pointless. Errors that say nothing are taken for passing troubles;
 * attempts are bounded all the same. Goes by fields and names, as errors from worker threads lose their class.
 */
export function isTerminal(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  if ('terminal' in error && typeof error.terminal === 'boolean') return error.terminal;
  return 'name' in error && TERMINAL_NAMES.has(String(error.name));
}
