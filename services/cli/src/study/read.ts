/** Studies that have a name, as files beside the code, and those that a user writes. */
import { fileURLToPath } from 'node:url';
import { Study } from '@facet/contracts';
import { PlanFile } from '@facet/plans';
import { z } from 'zod';
import { readDocument } from '../inputs.js';

export const STUDIES = ['default', 'quick', 'prior-gain', 'defences'] as const;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A study's plan may extend a preset, as any other; a backbone's own recipe names only what differs from the common one. */
const StudyFile = z.preprocess(
  (value) => {
    if (!isObject(value) || !isObject(value['recipe']) || !isObject(value['recipes'])) return value;
    const { recipe, recipes } = value;
    const whole = Object.entries(recipes).map(([backbone, own]) => [
      backbone,
      isObject(own) ? { ...recipe, ...own } : own,
    ]);
    return { ...value, recipes: Object.fromEntries(whole) as unknown };
  },
  Study.extend({ plan: PlanFile }),
);

/** The study of that name, or in that file. Errors: InputError naming the field. */
export async function readStudy(nameOrFile: string): Promise<Study> {
  const named = (STUDIES as readonly string[]).includes(nameOrFile);
  const file = named
    ? fileURLToPath(new URL(`../../studies/${nameOrFile}.yaml`, import.meta.url))
    : nameOrFile;
  return readDocument(file, StudyFile);
}
