/** Studies that have a name, as files beside the code, and those that a user writes. */
import { fileURLToPath } from 'node:url';
import { Study } from '@facet/contracts';
import { PlanFile } from '@facet/plans';
import { readDocument } from '../inputs.js';

export const STUDIES = ['default', 'quick', 'prior-gain'] as const;

/** A study's plan may extend a preset, as any other. */
const StudyFile = Study.extend({ plan: PlanFile });

/** The study of that name, or in that file. Errors: InputError naming the field. */
export async function readStudy(nameOrFile: string): Promise<Study> {
  const named = (STUDIES as readonly string[]).includes(nameOrFile);
  const file = named
    ? fileURLToPath(new URL(`../../studies/${nameOrFile}.yaml`, import.meta.url))
    : nameOrFile;
  return readDocument(file, StudyFile);
}
