#!/usr/bin/env node
/** `npm run tensorflow -- cpu|cuda`: builds TensorFlow.js's native addon into the cache. */
import { buildAddon } from './build.js';
import { ADDON_KINDS } from './find.js';

try {
  const [asked] = process.argv.slice(2);
  const kind = ADDON_KINDS.find((one) => one === asked);
  if (kind === undefined) throw new Error(`usage: npm run tensorflow -- ${ADDON_KINDS.join('|')}`);
  const { folder } = await buildAddon(kind, (line) => process.stderr.write(`${line}\n`));
  process.stdout.write(`${folder}\n`);
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
