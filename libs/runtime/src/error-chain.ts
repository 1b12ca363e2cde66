/** An error and its causes as plain data, for logs and dead letters. */

export interface ErrorLink {
  readonly name: string;
  readonly message: string;
  /** What the error class says beyond its message: ids, a fault, a place. */
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly stack?: string;
}

/** Longer chains are cut, so that a cycle ends. */
const MAX_LINKS = 8;
const MAX_TEXT_LENGTH = 4000;
const OWN = new Set(['name', 'message', 'stack', 'cause']);

const cut = (text: string): string =>
  text.length > MAX_TEXT_LENGTH ? `${text.slice(0, MAX_TEXT_LENGTH)}...` : text;

/** The error, then its cause, and so on. */
export function errorChain(thrown: unknown): ErrorLink[] {
  const chain: ErrorLink[] = [];
  for (let error = thrown; error !== undefined && chain.length < MAX_LINKS;) {
    if (!(error instanceof Error)) {
      chain.push({ name: 'Error', message: cut(String(error)) });
      break;
    }
    const fields = plainFields(error);
    chain.push({
      name: error.name,
      message: cut(error.message),
      ...(Object.keys(fields).length > 0 && { fields }),
      ...(error.stack !== undefined && { stack: cut(error.stack) }),
    });
    error = error.cause;
  }
  return chain;
}

/** What JSON keeps of an error's own fields, as long as it is short: an error class may carry anything. */
function plainFields(error: Error): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  let length = 0;
  for (const [key, value] of Object.entries(error)) {
    const text = OWN.has(key) ? undefined : jsonOf(value);
    if (text === undefined || text === '{}' || length + text.length > MAX_TEXT_LENGTH) continue;
    length += text.length;
    fields[key] = value;
  }
  return fields;
}

function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

/** One line that names the error and its causes. */
export const errorLine = (thrown: unknown): string =>
  errorChain(thrown)
    .map(({ name, message }) => (name === 'Error' ? message : `${name}: ${message}`))
    .join(' <- ');
