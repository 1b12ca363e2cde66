/** Finds a program: on the PATH, or where `npm run servers` has put it. */
import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { type Program, type ProgramName, PROGRAMS } from './programs.js';

/** Where installed programs are kept: `FACET_CACHE`, or `facet` in the user's cache folder. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return env['FACET_CACHE'] || join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'facet');
}

/** A program's place in the cache; its version is part of it, so that a new one is installed beside the old. */
export const cachedPath = (name: ProgramName): string =>
  join(cacheFolder(), 'programs', `${name}-${PROGRAMS[name].version}`, name);

/** The path of a program that can be run, or undefined. */
export function findProgram(name: ProgramName): string | undefined {
  const cached = cachedPath(name);
  if (isExecutable(cached)) return cached;
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders
    .map((folder) => join(folder, name))
    .find((path) => isExecutable(path) && isMeant(name, path));
}

/**
 * Whether tests that need these programs can run. Where one is missing they are skipped by name on a laptop; in CI
 * (`CI=true`) this throws, as a check that did not run must not look like one that passed.
 */
export function programsFound(...names: readonly ProgramName[]): boolean {
  const missing = names.filter((name) => findProgram(name) === undefined);
  if (missing.length === 0) return true;
  const message = `${missing.join(', ')}: not installed; "npm run servers" installs what the tests need`;
  if (process.env['CI'] === 'true') throw new Error(message);
  console.warn(`skipped: ${message}`);
  return false;
}

/** @throws {Error} that says how to get the program */
export function needProgram(name: ProgramName): string {
  const found = findProgram(name);
  if (found !== undefined) return found;
  throw new Error(
    `${name} is neither on the PATH nor installed; "npm run servers" installs it (it needs Go)`,
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function isMeant(name: ProgramName, path: string): boolean {
  const { asked = ['--version'], prints }: Program = PROGRAMS[name];
  if (prints === undefined) return false;
  try {
    return prints.test(execFileSync(path, asked, { encoding: 'utf8', timeout: 10_000 }));
  } catch {
    return false;
  }
}
