import { readdirSync, readFileSync } from 'node:fs';
import { DECISION_FACET, EvaluationPlan, OBJECTIVES } from '@facet/contracts';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { planCost } from './cost.js';
import { PlanFile } from './file.js';
import { preset, PRESETS } from './presets.js';

const FACETS = [DECISION_FACET, 'attributes', 'spoof-type', 'illumination', 'depth', 'reflection'];

describe('presets', () => {
  it('are exactly the files beside the code', () => {
    const files = readdirSync(new URL('../plans', import.meta.url)).map((file) => file.replace('.yaml', ''));
    expect(files.sort()).toEqual([...PRESETS].sort());
  });

  it.each(PRESETS)('%s is a whole plan of that name, with the seed it is given', (name) => {
    expect(EvaluationPlan.parse(preset(name, 7))).toMatchObject({ name, seed: 7 });
  });

  it.each(PRESETS)('%s is what a user could write', (name) => {
    const document: unknown = parse(readFileSync(new URL(`../plans/${name}.yaml`, import.meta.url), 'utf8'));
    expect(PlanFile.parse(document)).toEqual(preset(name, 0));
  });

  it('cost more the more they promise', () => {
    const cost = (name: (typeof PRESETS)[number]) =>
      planCost(preset(name, 0), FACETS).passesPerImage * preset(name, 0).samples;
    expect(cost('quick')).toBeLessThan(cost('demo'));
    expect(cost('demo')).toBeLessThan(cost('default'));
    expect(cost('default')).toBeLessThan(cost('paper'));
    expect(cost('paper')).toBeLessThan(cost('thorough'));
  });

  it('compare every facet with and without the prior, and with shuffled labels', () => {
    for (const name of PRESETS.filter((one) => one !== 'transfer')) {
      const objectives = new Set(preset(name, 0).attacks.flatMap((group) => group.objectives));
      for (const objective of ['direct', 'facet', 'sfa', 'control'] as const)
        expect(objectives, `${name} runs ${objective}`).toContain(objective);
      expect([...objectives].every((objective) => OBJECTIVES.includes(objective))).toBe(true);
    }
  });
});

describe('a file that extends a preset', () => {
  const written = { schema: 'facet.plan/v1', name: 'mine', extends: 'default' };

  it('replaces what it names and keeps the rest', () => {
    const base = preset('default', 0);
    expect(PlanFile.parse({ ...written, samples: 1000, seed: 3 })).toEqual({
      ...base,
      name: 'mine',
      samples: 1000,
      seed: 3,
    });
  });

  it.each<[string, object, string, string]>([
    ['a preset that is none', { extends: 'thorugh' }, 'extends', 'thorough'],
    ['no name of its own', { name: undefined }, 'name', ''],
    ['a preset under its own name only', { samples: -1 }, 'samples', ''],
    ['a field that nobody knows', { sampels: 5 }, '', 'sampels'],
  ])('refuses %s by its field', (_, change, field, says) => {
    const issues = PlanFile.safeParse({ ...written, ...change }).error?.issues ?? [];
    expect(issues).toHaveLength(1);
    expect(issues[0].path.join('.')).toBe(field);
    expect(issues[0].message).toContain(says);
  });
});
