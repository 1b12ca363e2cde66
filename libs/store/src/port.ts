/**
 * The object store as every service sees it: whole objects under keys, with S3 semantics. A put is atomic, the last
 * one wins, and it is visible to every reader once its promise resolves. A reader never sees half an object. There
 * are no folders: a slash is a character of the key.
 *
 * Nobody may store a key that is a folder of another: `a` and `a/b` never stand together. Folders and versitygw
 * refuse it as a `conflict`; MinIO and S3 itself take both, and asking them first would cost a request for every put,
 * so it is the callers who keep the rule. Keys should also not differ by case alone, which some file systems ignore.
 */

export interface StoreOptions {
  readonly signal?: AbortSignal;
}

export interface PutOptions extends StoreOptions {
  /** Write only where the key holds nothing yet; of several racing writers exactly one does. */
  readonly ifAbsent?: boolean;
}

export interface PutResult {
  /** False only with `ifAbsent`, where another object stood there already and was left as it is. */
  readonly written: boolean;
  /** Bytes of the object that stands under the key now. */
  readonly size: number;
}

export interface ListedObject {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** When it was put, in milliseconds since 1970 by the store's own clock. */
  readonly modified: number;
}

export interface ListOptions extends StoreOptions {
  /** Leave out everything up to and with this one. */
  readonly after?: string;
}

/**
 * An object that was found. Its bytes are read when asked for, whole and of one version; if the object has been
 * deleted by then they throw a {@link StoreError} of fault `gone`.
 */
export interface StoredObject extends ListedObject {
  bytes(): Promise<Uint8Array>;
  stream(): AsyncIterable<Uint8Array>;
}

export type Body = Uint8Array | AsyncIterable<Uint8Array>;

export interface ObjectStore {
  /** Stores all of `body` or, if it throws or the signal aborts, nothing. */
  put(key: string, body: Body, options?: PutOptions): Promise<PutResult>;
  get(key: string, options?: StoreOptions): Promise<StoredObject | undefined>;
  /** Every key that begins with `prefix` (any string, not only a folder), in order of its characters' codes. */
  list(prefix: string, options?: ListOptions): AsyncIterable<ListedObject>;
  /**
   * The names that follow `prefix` (empty, or ending with a slash) up to the next slash, each once, in order of
   * their characters' codes: what a person would call its folders. Objects that stand right there are left out.
   * However much a folder holds, it costs no more than an empty one. `after` is such a name.
   */
  folders(prefix: string, options?: ListOptions): AsyncIterable<string>;
  /** Deleting what is not there is no error. */
  delete(key: string, options?: StoreOptions): Promise<void>;
}

export type StoreFault =
  | 'invalid-key' // no adapter would take this key
  | 'conflict' // the key is a folder of another key, or the other way round
  | 'malformed' // the object's bytes are not what was expected
  | 'gone' // deleted between being found and being read
  | 'forbidden' // the credentials do not allow it
  | 'unavailable'; // the store cannot be reached, or not yet

export class StoreError extends Error {
  override readonly name = 'StoreError';
  /** Whether trying again is pointless. */
  readonly terminal: boolean;

  constructor(
    readonly fault: StoreFault,
    readonly key: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(`object key "${key.length > 100 ? `${key.slice(0, 100)}...` : key}": ${message}`, options);
    this.terminal = fault !== 'gone' && fault !== 'unavailable';
  }
}
