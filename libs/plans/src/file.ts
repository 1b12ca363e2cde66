/** A plan as somebody writes it: whole, or a preset's name under `extends` and what differs from it. */
import { EvaluationPlan } from '@facet/contracts';
import { z } from 'zod';
import { fieldsOf, isPreset, PRESETS } from './presets.js';

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Gives the whole plan; a field that the document names replaces the preset's, so errors name the document's fields. */
export const PlanFile = z.preprocess((value, context) => {
  if (!isObject(value) || !Object.hasOwn(value, 'extends')) return value;
  const { extends: base, ...own } = value;
  if (!isPreset(base)) {
    context.addIssue({
      code: 'custom',
      path: ['extends'],
      message: `${JSON.stringify(base)} is none of ${PRESETS.join(', ')}`,
    });
    return z.NEVER;
  }
  // A plan that differs from the preset must not go by its name.
  return { ...fieldsOf(base), name: undefined, ...own };
}, EvaluationPlan);
