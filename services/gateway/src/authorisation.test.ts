/** Every route x every role, as the served OpenAPI document says it, not as the code does. */
import { Validator } from '@seriousme/openapi-schema-validator';
import { ROLES, ROUTES } from '@facet/contracts';
import { expect, it } from 'vitest';
import { openTestGateway, problem } from './gateway.fixture.js';

interface Operation {
  readonly operationId: string;
  readonly 'x-facet-access': string;
  readonly parameters?: readonly { name: string; in: string }[];
}

/** Well-formed values that are nowhere, so that who is allowed gets "not found" and changes nothing. */
const NOWHERE: Readonly<Record<string, string>> = {
  name: 'nobody',
  version: '1',
  id: '0123456789abcdef',
  sequence: '999999',
  link: `${'a'.repeat(20)}.${'b'.repeat(43)}`,
};

it('serves a valid OpenAPI 3.1 document, and asks of every route the role that it names', async () => {
  const limits = {
    requests: { perSecond: 1e6, burst: 1e6 },
    failures: { perSecond: 1e6, burst: 1e6 },
  };
  const { call, store } = await openTestGateway({ limits });
  const document = (await (await call('/openapi.json', { role: 'none' })).json()) as Record<string, unknown>;
  const { valid, errors } = await new Validator().validate(structuredClone(document));
  expect(valid, JSON.stringify(errors)).toBe(true);
  expect(document['openapi']).toBe('3.1.0');

  const paths = document['paths'] as Record<string, Record<string, Operation>>;
  const matrix: string[] = [];
  for (const [path, methods] of Object.entries(paths)) {
    const address = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => NOWHERE[name]);
    for (const [method, operation] of Object.entries(methods)) {
      const needed = operation['x-facet-access'];
      for (const role of ['none', 'wrong', ...ROLES] as const) {
        const headers: Record<string, string> =
          role === 'wrong' ? { authorization: `Bearer facet_admin_${'x'.repeat(43)}` } : {};
        const answer = await call(address, {
          role: role === 'wrong' ? 'none' : role,
          method: method.toUpperCase(),
          headers,
        });
        await answer.arrayBuffer();
        const rank = ROLES.indexOf(role as (typeof ROLES)[number]);
        const allowed = needed === 'public' || (rank >= 0 && rank >= ROLES.indexOf(needed as 'viewer'));
        const where = `${method} ${path} as ${role}: ${answer.status}`;
        if (allowed) expect([401, 403], where).not.toContain(answer.status);
        else expect(answer.status, where).toBe(rank < 0 ? 401 : 403);
        expect(answer.status, where).not.toBe(500);
        matrix.push(where);
      }
    }
  }
  expect(matrix).toHaveLength(Object.keys(ROUTES).length * (ROLES.length + 2));
  const left: string[] = [];
  for await (const { key } of store.list('')) if (!/^(audit|tokens)\//.test(key)) left.push(key);
  expect(left).toEqual([]);
});

it('knows no other method and no other path', async () => {
  const { call } = await openTestGateway();
  const answer = await call('/v1/models', { method: 'DELETE' });
  expect(answer.headers.get('allow')).toBe('GET, POST');
  await problem(answer, 405);
  await problem(call('/v2/models'), 404);
  await problem(call('/v1/models/%E0%A4%A/1'), 400);
});
