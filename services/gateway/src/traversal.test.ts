/**
 * Ways out, in every field that the served OpenAPI document names: in paths, in queries, and in every text and every name of
 * a field of every body. What a field's own schema does not take is refused, nothing is left behind, and nothing is outside.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EvaluationPlan, Policy, TrainingRecipe } from '@facet/contracts';
import { FolderStore } from '@facet/store';
import { openWorld } from '@facet/world';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { keysOf, openTestGateway, type TestGateway } from './gateway.fixture.js';

type Json = Record<string, unknown>;
interface Operation {
  readonly path: string;
  readonly method: string;
  readonly operationId: string;
  readonly parameters?: readonly { name: string; in: string; schema: Json }[];
  readonly requestBody?: { content: Record<string, { schema: Json }> };
}

const WAYS_OUT = [
  '..',
  '../../escaped',
  '..\\..\\escaped',
  '/escaped',
  'a/../../escaped',
  '%2e%2e%2fescaped',
  'a\0b',
];
/** What a body's own validation could take differently from an address. */
const IN_BODIES = [WAYS_OUT[0], WAYS_OUT[1], WAYS_OUT[6]];
const ESCAPED = 'escaped';
const NOWHERE: Json = {
  ...{ name: 'nobody', version: '1', id: '0123456789abcdef', sequence: '999999' },
  link: `${'a'.repeat(20)}.${'b'.repeat(43)}`,
};

let world: Awaited<ReturnType<typeof openWorld>>;
let root: string;
let gateway: TestGateway;
let document: Json;
let operations: Operation[];
let bodies: Json;

beforeAll(async () => {
  world = await openWorld({ train: 2, dev: 2, test: 2 });
  root = await mkdtemp(join(tmpdir(), 'facet-traversal-'));
});
afterAll(async () => {
  await world.close();
  await rm(root, { recursive: true });
});

/** A gateway whose store lies so deep that who gets out of it is still seen. */
async function open(name: string): Promise<void> {
  const free = { perSecond: 1e6, burst: 1e6 };
  const store = await FolderStore.open(join(root, name, 'deep', 'store'));
  gateway = await openTestGateway({ store, limits: { requests: free, failures: free } });
  document = (await (await gateway.call('/openapi.json')).json()) as Json;
  operations = Object.entries(document['paths'] as Record<string, Record<string, Operation>>).flatMap(
    ([path, methods]) => Object.entries(methods).map(([method, own]) => ({ ...own, path, method })),
  );
  const plan = EvaluationPlan.parse({
    ...{ schema: 'facet.plan/v1', name: 'small', samples: 2, batch: 2, shard: 1 },
    attacks: [
      {
        ...{ facets: ['live'], objectives: ['direct'], searches: [{ name: 'fgsm' }] },
        threats: [{ norm: 'linf', epsilon: '2/255' }],
      },
    ],
  });
  const policy = Policy.parse({ schema: 'facet.policy/v1', name: 'strict' });
  const recipe = TrainingRecipe.parse({
    ...{ schema: 'facet.recipe/v1', seed: 1, backbone: 'resnet-small', facets: ['depth'], epochs: 1 },
    ...{ batch: 2, parts: 1, learningRate: 0.1, optimiser: { kind: 'sgd' }, warmupSteps: 0 },
  });
  const ref = { name: 'one', version: '1' };
  const synthetic = { kind: 'synthetic', seed: 1, size: 16, samples: { train: 1, dev: 1, test: 1 } };
  bodies = {
    createToken: { name: 'somebody', role: 'viewer' },
    registerDataset: { ...ref, source: { ...synthetic, variant: 'standard', heldOut: ['print'] } },
    putStanding: {
      ...{ schema: 'facet.standing/v1', name: 'nobody', models: 'one*', version: '1', dataset: ref },
      ...{ plan, policy, baseline: ref },
    },
    requestEvaluation: { model: ref, dataset: ref, plan, policy },
    requestTraining: { model: ref, dataset: ref, recipe },
    publishModel: { ...world.published.manifest, sha256: undefined, name: 'net', version: '1' },
  };
}

const allKeys = async () => (await keysOf(gateway.store)).filter((key) => !/^(audit|tokens)\//.test(key));

/** A request whose path is sent as it stands: `fetch` would tidy it up. */
function raw({
  method,
  path,
  headers = {},
  body = '',
}: {
  method: string;
  path: string;
  headers?: Record<string, string>;
  body?: string;
}): Promise<number> {
  const { hostname, port } = new URL(gateway.url);
  const authorization = `Bearer ${gateway.tokens.admin}`;
  return new Promise((resolve, reject) => {
    const asked = request(
      { hostname, port, method: method.toUpperCase(), path, headers: { authorization, ...headers } },
      (answer) => {
        answer.resume();
        answer.on('close', () => resolve(answer.statusCode ?? 0));
      },
    );
    asked.on('error', reject);
    asked.end(body);
  });
}

/** Nothing has been written beside the store, nor in it under a name that leads out. */
async function expectNothingOut(name: string): Promise<void> {
  expect(
    (await readdir(join(root, name), { recursive: true })).filter((path) => path.includes(ESCAPED)),
  ).toEqual([]);
  expect(await readdir(join(root, name))).toEqual(['deep']);
  for (const key of await keysOf(gateway.store)) expect(key).not.toMatch(/\.\.|\\|\0|escaped/);
}

it('in a path lead nowhere', async () => {
  await open('paths');
  let tried = 0;
  for (const { method, path, parameters = [] } of operations)
    for (const { name } of parameters.filter((one) => one.in === 'path'))
      for (const way of WAYS_OUT)
        for (const text of [
          encodeURIComponent(way),
          way.replaceAll('.', '%2e').replaceAll(/[/\\\0]/g, encodeURIComponent),
        ]) {
          const address = path.replaceAll(/\{(\w+)\}/g, (_, one: string) =>
            one === name ? text : String(NOWHERE[one]),
          );
          const status = await raw({ method, path: address });
          expect([400, 404], `${method} ${address}: ${status}`).toContain(status);
          tried++;
        }
  expect(tried).toBeGreaterThan(25 * WAYS_OUT.length);
  expect(await allKeys()).toEqual([]);
  await expectNothingOut('paths');
});

it('in a query are refused', async () => {
  await open('queries');
  let tried = 0;
  for (const { method, path, parameters = [] } of operations)
    for (const { name } of parameters.filter((one) => one.in === 'query'))
      for (const way of [...WAYS_OUT, `${WAYS_OUT[1]}@1`, `one@${WAYS_OUT[1]}`]) {
        const address = path.replaceAll(/\{(\w+)\}/g, (_, one: string) => String(NOWHERE[one]));
        const status = await raw({ method, path: `${address}?${name}=${encodeURIComponent(way)}` });
        expect(status, `${method} ${address} ${name}=${way}`).toBe(400);
        tried++;
      }
  expect(tried).toBeGreaterThan(20 * WAYS_OUT.length);
  expect(await allKeys()).toEqual([]);
});

/** Every copy of a value in which one text, or the name of one field, is another. */
function* changed(
  value: unknown,
  way: string,
  at: readonly string[] = [],
): Generator<{ at: string[]; value: unknown }> {
  if (typeof value === 'string') yield { at: [...at], value: way };
  if (typeof value !== 'object' || value === null) return;
  for (const [key, child] of Object.entries(value)) {
    if (child === undefined) continue;
    const put = (changes: object) =>
      Array.isArray(value) ? Object.assign([...value], changes) : { ...value, ...changes };
    for (const inner of changed(child, way, [...at, key]))
      yield { at: inner.at, value: put({ [key]: inner.value }) };
    if (Array.isArray(value)) continue;
    const { [key]: moved, ...others } = value as Json;
    yield { at: [...at, `${key} as a name`], value: { ...others, [way]: moved } };
  }
}

/** Whether some schema that may stand at a place takes the text. */
function takes(schema: Json, [first, ...rest]: readonly string[], text: string): boolean {
  const { $ref, anyOf, oneOf, allOf, properties, items, additionalProperties } = schema;
  if (typeof $ref === 'string') {
    const { schemas } = document['components'] as { schemas: Record<string, Json> };
    return takes(schemas[$ref.split('/').at(-1)!], first === undefined ? [] : [first, ...rest], text);
  }
  for (const options of [anyOf, oneOf, allOf])
    if (Array.isArray(options))
      return options.some((one: Json) => takes(one, first === undefined ? [] : [first, ...rest], text));
  if (first === undefined) {
    if (schema['type'] !== 'string') return false;
    const { enum: names, const: only, pattern, maxLength = Infinity, format } = schema;
    return (
      (names === undefined || (names as string[]).includes(text)) &&
      (only === undefined || only === text) &&
      (typeof pattern !== 'string' || new RegExp(pattern, 'u').test(text)) &&
      format === undefined &&
      text.length <= (maxLength as number)
    );
  }
  const own = (properties as Record<string, Json> | undefined)?.[first] ?? items ?? additionalProperties;
  return typeof own === 'object' && own !== null && takes(own as Json, rest, text);
}

const form = (manifest: unknown) => {
  const part = (name: string, text: string, more = '') =>
    `--x\r\ncontent-disposition: form-data; name="${name}"${more}\r\n\r\n${text}\r\n`;
  return `${part('manifest', JSON.stringify(manifest))}${part('model', 'no model', '; filename="../../escaped"')}--x--\r\n`;
};

it('in a body are refused, unless the field takes any text', { timeout: 120_000 }, async () => {
  await open('bodies');
  const withBody = operations.filter(({ requestBody }) => requestBody !== undefined);
  const described = withBody.filter(({ requestBody }) => !requestBody!.content['application/x-tar']);
  expect(described.map(({ operationId }) => operationId).sort()).toEqual(Object.keys(bodies).sort());
  for (const { operationId, method, path, requestBody } of described) {
    const [[type, { schema }]] = Object.entries(requestBody!.content);
    const isForm = type === 'multipart/form-data';
    const address = path.replaceAll(/\{(\w+)\}/g, (_, one: string) => String(NOWHERE[one]));
    const own = isForm ? (schema['properties'] as Record<string, Json>)['manifest'] : schema;
    let tried = 0;
    for (const way of isForm ? [WAYS_OUT[1]] : IN_BODIES) {
      const asked = [...changed(bodies[operationId], way)].map(async ({ at, value }) => {
        const status = await raw({
          method,
          path: address,
          headers: { 'content-type': isForm ? `${type}; boundary=x` : type },
          body: isForm ? form(value) : JSON.stringify(value),
        });
        const where = `${operationId} ${at.join('/')} as ${way}: ${status}`;
        // Another one of the same name contradicts the first, and is well-formed itself.
        if (status < 300 || status === 409) expect(takes(own, at, way), where).toBe(true);
        // Eight uploads at a time, of which each is refused by itself.
        else expect(isForm ? [400, 422, 503] : [400, 422], where).toContain(status);
      });
      await Promise.all(asked);
      tried += asked.length;
    }
    expect(tried, operationId).toBeGreaterThanOrEqual(2 * (isForm ? 1 : IN_BODIES.length));
  }
  await expectNothingOut('bodies');
});
