/**
 * JSON objects in the store, in one canonical form: keys in code order, two spaces, JavaScript's shortest
 * round-trip numbers, a newline at the end. Equal values give equal bytes, so a repeated job changes nothing.
 */
import { type ObjectStore, type PutOptions, type PutResult, StoreError, type StoreOptions } from './port.js';

/**
 * The canonical text of a plain value. Members that are `undefined` are left out. Anything that JSON would change
 * silently (NaN, infinities, dates, typed arrays, holes) throws a TypeError that names its place.
 */
export function canonicalJson(value: unknown): string {
  return `${write(value, '$', '')}\n`;
}

function write(value: unknown, where: string, indent: string): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`${where}: ${value} has no form in JSON`);
    return JSON.stringify(value);
  }
  const inner = `${indent}  `;
  const enclose = (open: string, parts: string[], close: string) =>
    parts.length === 0 ? open + close : `${open}\n${inner}${parts.join(`,\n${inner}`)}\n${indent}${close}`;
  if (Array.isArray(value)) {
    const parts = Array.from(value, (part, i) => write(part, `${where}[${i}]`, inner));
    return enclose('[', parts, ']');
  }
  if (!isPlain(value)) throw new TypeError(`${where}: ${describe(value)} has no form in JSON`);
  const parts = Object.keys(value)
    .filter((key) => value[key] !== undefined)
    .sort()
    .map((key) => `${JSON.stringify(key)}: ${write(value[key], `${where}.${key}`, inner)}`);
  return enclose('{', parts, '}');
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

const describe = (value: unknown): string =>
  typeof value === 'object' && value !== null
    ? `a ${value.constructor.name}`
    : `a value of type ${typeof value}`;

/** Stores the canonical form. */
export function writeJson(
  store: ObjectStore,
  key: string,
  value: unknown,
  options?: PutOptions,
): Promise<PutResult> {
  return store.put(key, new TextEncoder().encode(canonicalJson(value)), options);
}

/**
 * Reads and checks a JSON object; undefined where there is none.
 * @param parse turns the plain value into the typed one or throws, as a zod schema's `parse` does
 * @throws {StoreError} of fault `malformed`, with the parser's error as its cause
 */
export async function readJson<T>(
  store: ObjectStore,
  key: string,
  parse: (value: unknown) => T,
  options?: StoreOptions,
): Promise<T | undefined> {
  const object = await store.get(key, options);
  if (object === undefined) return undefined;
  const bytes = await object.bytes();
  try {
    return parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StoreError('malformed', key, `is not what was expected: ${reason}`, { cause });
  }
}
