/** The version that a package says it has. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';

const Package = z.object({ version: z.string() });

/** @param moduleUrl of a file in the package's `src` or `dist` */
export const packageVersion = (moduleUrl: string): string =>
  Package.parse(JSON.parse(readFileSync(new URL('../package.json', moduleUrl), 'utf8'))).version;
