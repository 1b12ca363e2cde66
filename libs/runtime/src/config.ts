/** Configuration from the environment, checked as a whole before anything starts; secrets may lie in files. */
import { readFileSync } from 'node:fs';
import { type z } from 'zod';
import { InputError } from './errors.js';

/**
 * Reads an object schema whose keys are names of variables. An empty variable counts as absent. The value of `NAME` may
 * lie in a file that `NAME_FILE` names, as secrets do that are mounted; the line break at its end does not count.
 * @throws {InputError} that names every variable which is wrong, not only the first, and the value of none
 */
export function readConfig<S extends z.ZodObject>(
  schema: S,
  env: Readonly<Record<string, string | undefined>>,
): z.output<S> {
  const unreadable: string[] = [];
  const read = (name: string): string | undefined => {
    const file = env[`${name}_FILE`];
    if (file === undefined || file === '') return env[name] === '' ? undefined : env[name];
    try {
      return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    } catch (error) {
      unreadable.push(`  ${name}_FILE: ${(error as Error).message}`);
      return undefined;
    }
  };
  const known = Object.keys(schema.shape).map((name) => [name, read(name)]);
  const result = schema.safeParse(Object.fromEntries(known));
  if (result.success && unreadable.length === 0) return result.data;
  const missing = new Set(unreadable.map((line) => line.trim().split('_FILE:')[0]));
  const lines = (result.error?.issues ?? [])
    .filter(({ path }) => !missing.has(path.join('.')))
    .map(({ path, message }) => `  ${path.join('.')}: ${message}`);
  throw new InputError(`the environment is not what it should be:\n${[...unreadable, ...lines].join('\n')}`, {
    ...(result.error && { cause: result.error }),
  });
}
