import { describe, expect, it } from 'vitest';
import { openApiDocument } from './openapi.js';
import { pointerOf } from './problem.js';
import { mayAccess, ROLES } from './roles.js';
import { type RouteSpec } from './route.js';
import { ROUTES } from './routes.js';

const document = openApiDocument('1.2.3');
const text = JSON.stringify(document);

describe('openApiDocument', () => {
  it('holds every route once, with its access and its answers', () => {
    const paths = document['paths'] as Record<string, Record<string, Record<string, unknown>>>;
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method, ...operation })),
    );
    expect(operations).toHaveLength(Object.keys(ROUTES).length);
    for (const [operationId, route] of Object.entries<RouteSpec>(ROUTES)) {
      const { path, method, access } = route;
      expect(operations).toContainEqual(
        expect.objectContaining({ operationId, path, method, 'x-facet-access': access }),
      );
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect(Object.keys(route.params?.shape ?? {}), operationId).toEqual(named);
    }
  });

  it('points at nothing that is not there', () => {
    const { schemas } = document['components'] as { schemas: Record<string, unknown> };
    const pointers = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, pointer]) => pointer);
    expect(pointers.length).toBeGreaterThan(20);
    for (const pointer of pointers)
      expect(schemas).toHaveProperty([pointer.replace('#/components/schemas/', '')]);
    expect(text).not.toContain('$defs');
  });

  it('tells what may be left out when writing from what is always there when reading', () => {
    const { schemas } = document['components'] as { schemas: Record<string, { required: string[] }> };
    expect(schemas['EvaluationPlan'].required).toContain('priorSamples');
    expect(schemas['EvaluationPlan.in'].required).not.toContain('priorSamples');
  });
});

it('a role may do what those before it may, and nobody without one more than what is public', () => {
  for (const [i, role] of ROLES.entries())
    for (const [j, access] of ROLES.entries()) expect(mayAccess(role, access)).toBe(i >= j);
  expect(mayAccess(undefined, 'public')).toBe(true);
  expect(mayAccess(undefined, 'viewer')).toBe(false);
});

it('writes JSON pointers as URI fragments', () => {
  expect(pointerOf([])).toBe('#');
  expect(pointerOf(['plan', 'attacks', 0, 'a/b~c d'])).toBe('#/plan/attacks/0/a~1b~0c%20d');
});
