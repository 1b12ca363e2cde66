/** Reads what a user hands in: manifests, plans and policies as JSON or YAML, each error naming file and field. */
import { readFile } from 'node:fs/promises';
import { type EvaluationPlan, formatIssues } from '@facet/contracts';
import { isPreset, PlanFile, preset, PRESETS } from '@facet/plans';
import { InputError } from '@facet/runtime';
import { parse } from 'yaml';
import type { z } from 'zod';

/** Larger files are not what they claim to be. */
const MAX_TEXT_BYTES = 16 * 1024 * 1024;
const MAX_MODEL_BYTES = 2 ** 31;
const MAX_RAW_BYTES = 2 ** 31;

async function read(file: string, limit: number): Promise<Buffer> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new InputError(missing ? 'does not exist' : `cannot be read: ${(cause as Error).message}`, {
      file,
      cause,
    });
  }
  if (bytes.length > limit) throw new InputError(`has ${bytes.length} bytes, more than ${limit}`, { file });
  return bytes;
}

/** YAML, of which JSON is a part. Errors: InputError with a line per finding. */
export async function readDocument<S extends z.ZodType>(file: string, schema: S): Promise<z.output<S>> {
  const text = (await read(file, MAX_TEXT_BYTES)).toString('utf8');
  let value: unknown;
  try {
    value = parse(text);
  } catch (cause) {
    // Below its first line the parser draws the place.
    const [problem] = (cause as Error).message.split(':\n');
    throw new InputError(`is neither JSON nor YAML: ${problem}`, { file, cause });
  }
  const checked = schema.safeParse(value);
  if (!checked.success)
    throw new InputError(formatIssues(checked.error).join(`\n${file}: `), { file, cause: checked.error });
  return checked.data;
}

/** A path, and not a word that was meant as a preset's name. */
const PATH = /[./\\]/;

/** The plan of that name, or in that file. `seed` replaces the plan's own. Errors: InputError. */
export async function readPlan(nameOrFile: string, seed?: number): Promise<EvaluationPlan> {
  if (isPreset(nameOrFile)) return preset(nameOrFile, seed ?? 0);
  if (!PATH.test(nameOrFile))
    throw new InputError(`is none of the plans ${PRESETS.join(', ')}, and no path of a file`, {
      file: nameOrFile,
    });
  const plan = await readDocument(nameOrFile, PlanFile);
  return seed === undefined ? plan : { ...plan, seed };
}

export const readModelFile = (file: string): Promise<Uint8Array> => read(file, MAX_MODEL_BYTES);

/** Raw numbers. */
export const readRawFile = (file: string): Promise<Uint8Array> => read(file, MAX_RAW_BYTES);
