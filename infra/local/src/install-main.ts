#!/usr/bin/env node
/** `npm run servers [-- NAME...]`: installs the programs that tests and `facet up --cluster` start. */
import { installProgram } from './install.js';
import { PROGRAM_NAMES, type ProgramName, USUAL_PROGRAMS } from './programs.js';

const asked = process.argv.slice(2);
const unknown = asked.find((name) => !(PROGRAM_NAMES as readonly string[]).includes(name));
try {
  if (unknown !== undefined)
    throw new Error(`there is no program ${unknown}; there are ${PROGRAM_NAMES.join(', ')}`);
  // One after the other: Go uses every core already.
  for (const name of asked.length > 0 ? (asked as ProgramName[]) : USUAL_PROGRAMS) {
    const path = await installProgram(name, (line) => process.stderr.write(`${line}\n`));
    process.stdout.write(`${name}: ${path}\n`);
  }
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
