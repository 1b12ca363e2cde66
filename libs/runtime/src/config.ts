/** Configuration from the environment, checked as a whole before anything starts. */
import { type z } from 'zod';
import { InputError } from './errors.js';

/**
 * Reads an object schema whose keys are names of variables. An empty variable counts as absent.
 * @throws {InputError} that names every variable which is wrong, not only the first
 */
export function readConfig<S extends z.ZodObject>(
  schema: S,
  env: Readonly<Record<string, string | undefined>>,
): z.output<S> {
  const known = Object.keys(schema.shape).map((name) => [name, env[name] === '' ? undefined : env[name]]);
  const result = schema.safeParse(Object.fromEntries(known));
  if (result.success) return result.data;
  const lines = result.error.issues.map(({ path, message }) => `  ${path.join('.')}: ${message}`);
  throw new InputError(`the environment is not what it should be:\n${lines.join('\n')}`, {
    cause: result.error,
  });
}
