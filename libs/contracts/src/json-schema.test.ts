import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { ARTIFACTS, jsonSchemas } from './json-schema.js';
import { MODEL, PLAN, VALID } from './samples.fixture.js';

const schemas = jsonSchemas();
const artifacts = Object.keys(ARTIFACTS) as (keyof typeof ARTIFACTS)[];

/** An independent reader of JSON Schema; strict, so that it refuses keywords and formats that it does not know. */
const accepts = (name: string, value: object): boolean =>
  new Ajv2020({ strictTypes: false }).compile(schemas[name])(value);

describe('jsonSchemas', () => {
  it('has one for every artifact', () => {
    expect(Object.keys(schemas)).toEqual(artifacts);
  });

  it.each(artifacts)('%s: takes what zod takes, and the form that zod makes of it', (name) => {
    expect(accepts(name, VALID[name])).toBe(true);
    expect(accepts(name, ARTIFACTS[name].parse(VALID[name]))).toBe(true);
  });

  it.each(artifacts)(
    '%s: refuses what zod refuses: a field too many, and every required one missing',
    (name) => {
      const fields = Object.entries(VALID[name]);
      const changed = fields.map(([left]) => Object.fromEntries(fields.filter(([field]) => field !== left)));
      for (const value of changed)
        expect(accepts(name, value), Object.keys(value).join()).toBe(
          ARTIFACTS[name].safeParse(value).success,
        );
      expect(accepts(name, { ...VALID[name], surprise: 1 })).toBe(false);
    },
  );

  it('lets people write what zod completes: defaults left out, epsilon as a quotient', () => {
    expect(accepts('model', MODEL)).toBe(true);
    const threats = (epsilon: unknown) => ({
      ...PLAN,
      attacks: [{ ...PLAN.attacks[0], threats: [{ norm: 'l2', epsilon }] }],
    });
    expect(accepts('plan', threats('0.5/255'))).toBe(true);
    expect(accepts('plan', threats('half'))).toBe(false);
  });
});
