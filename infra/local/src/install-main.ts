#!/usr/bin/env node
/** `npm run servers [-- NAME...]`: installs the programs that tests and `facet up --cluster` start, and files for them. */
import { installProgram } from './install.js';
import { installModuleFiles, MODULE_FILES_NAMES } from './module-files.js';
import { PROGRAM_NAMES, USUAL_PROGRAMS } from './programs.js';

const isOneOf = <T extends string>(names: readonly T[], name: string): name is T =>
  (names as readonly string[]).includes(name);

const known = [...PROGRAM_NAMES, ...MODULE_FILES_NAMES];
const asked = process.argv.slice(2);
const unknown = asked.find((name) => !isOneOf(known, name));
try {
  if (unknown !== undefined) throw new Error(`there is no program ${unknown}; there are ${known.join(', ')}`);
  // One after the other: Go uses every core already.
  for (const name of asked.length > 0 ? asked.filter((each) => isOneOf(known, each)) : USUAL_PROGRAMS) {
    const path = isOneOf(MODULE_FILES_NAMES, name)
      ? await installModuleFiles(name)
      : await installProgram(name, (line) => process.stderr.write(`${line}\n`));
    process.stdout.write(`${name}: ${path}\n`);
  }
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
