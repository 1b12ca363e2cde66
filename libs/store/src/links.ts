/**
 * Links to single objects for who has no credentials of the store: a browser, a download. A link opens one object,
 * for reading, and expires. S3 signs them itself (presigned GET); beside a folder the gateway does.
 */
export interface LinkOptions {
  readonly expiresInMs: number;
  /** The name under which a browser saves it. */
  readonly fileName: string;
  readonly contentType: string;
}

export interface ObjectLinks {
  /** A URL, absolute or beginning with a slash. It is not checked whether there is such an object. */
  link(key: string, options: LinkOptions): Promise<string>;
}
