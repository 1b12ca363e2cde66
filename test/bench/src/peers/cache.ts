/** Where the bench keeps what is dear to make: peers and exported networks. It may be deleted at any time. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The XDG base directory specification's place for files that can be made again. */
export const cacheFolder = (environment: NodeJS.ProcessEnv = process.env): string =>
  join(environment['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'facet', 'bench');

/** A file of `test/bench/peers`. */
export const peerFile = (name: string): string =>
  fileURLToPath(new URL(`../../peers/${name}`, import.meta.url));

/** Changes with the content of any of the files: what was made by others is made anew. */
export function digestOf(files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(file)).update('\0');
  return hash.digest('hex');
}
