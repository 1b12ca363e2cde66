/**
 * Plans that have a name. They lie beside this package's code as the YAML that a user would write, and nowhere else. A
 * preset may extend another; what it names itself replaces what it extends, field by field.
 */
import { readFileSync } from 'node:fs';
import { EvaluationPlan } from '@facet/contracts';
import { parse } from 'yaml';

export const PRESETS = ['quick', 'default', 'thorough', 'paper', 'demo', 'transfer'] as const;
export type PresetName = (typeof PRESETS)[number];

export const isPreset = (name: unknown): name is PresetName => (PRESETS as readonly unknown[]).includes(name);

/** A preset's fields as they are written, with those that it extends. */
export function fieldsOf(name: PresetName): Record<string, unknown> {
  const text = readFileSync(new URL(`../plans/${name}.yaml`, import.meta.url), 'utf8');
  const { extends: base, ...own } = parse(text) as Record<string, unknown>;
  return isPreset(base) ? { ...fieldsOf(base), ...own } : own;
}

export const preset = (name: PresetName, seed: number): EvaluationPlan =>
  EvaluationPlan.parse({ ...fieldsOf(name), seed });
