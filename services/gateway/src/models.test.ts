/** Publishing over HTTP, the well-meant way and all others: what is refused leaves nothing behind. */
import { connect } from 'node:net';
import { type api } from '@facet/contracts';
import { openWorld } from '@facet/world';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keysOf, ok, openTestGateway, problem, published, type TestGateway } from './gateway.fixture.js';

type World = Awaited<ReturnType<typeof openWorld>>;
let world: World;
beforeAll(async () => {
  world = await openWorld({ train: 2, dev: 2, test: 2 });
});
afterAll(() => world.close());

const manifestOf = (changes: object = {}) => {
  return { ...world.published.manifest, sha256: undefined, name: 'net', version: '1', ...changes };
};

function form(manifest: unknown, bytes: Uint8Array = world.published.bytes): FormData {
  const data = new FormData();
  data.set('manifest', JSON.stringify(manifest));
  data.set('model', new Blob([new Uint8Array(bytes)]), '../../evil.onnx');
  return data;
}

const left = async ({ store }: TestGateway) =>
  (await keysOf(store)).filter((key) => !/^(audit|tokens)\//.test(key));

describe('a model', () => {
  it('is streamed, checked, published, shown and given back; the same again is no other', async () => {
    const gateway = await openTestGateway();
    const { call, bus } = gateway;
    const answer = await call('/v1/models', { role: 'publisher', body: form(manifestOf()) });
    expect(answer.headers.get('location')).toBe('/v1/models/net/1');
    const model = await ok<api.Model>(answer, 201);
    expect(model).toMatchObject({
      name: 'net',
      version: '1',
      stage: 'candidate',
      sha256: world.published.digest,
    });
    expect(await ok(call('/v1/models', { body: form(manifestOf()) }))).toEqual(model);
    expect(await left(gateway)).toEqual([
      'models/net/1/lineage.json',
      'models/net/1/manifest.json',
      'models/net/1/model.onnx',
    ]);
    const detail = await ok<api.ModelDetail>(call('/v1/models/net/1', { role: 'viewer' }));
    expect(detail).toMatchObject({ lineage: { kind: 'upload', by: 'the publisher' }, versions: ['1'] });
    expect(detail.manifest.facets).toEqual(world.published.manifest.facets);
    const file = await call('/v1/models/net/1/file', { role: 'viewer' });
    expect(file.headers.get('content-disposition')).toContain('net-1.onnx');
    expect(Buffer.from(await file.arrayBuffer()).equals(Buffer.from(world.published.bytes))).toBe(true);
    const facts = await published(bus);
    expect(facts[0]).toEqual({
      subject: 'facet.events.model.published.v1',
      data: { model: { name: 'net', version: '1' }, digest: world.published.digest },
    });
  });

  it('never changes: other bytes and another manifest are a conflict that names the version', async () => {
    const { call } = await openTestGateway();
    await ok(call('/v1/models', { body: form(manifestOf()) }), 201);
    const changed = await problem(call('/v1/models', { body: form(manifestOf({ description: 'x' })) }), 409);
    expect(changed.errors).toMatchObject([{ in: 'body', pointer: '#/manifest/version' }]);
  });

  it.each<[string, () => FormData, number, string]>([
    ['that is no ONNX', () => form(manifestOf(), Buffer.from('not a model at all')), 422, '#/model'],
    ['that is empty', () => form(manifestOf(), new Uint8Array()), 422, '#/model'],
    ['of another digest', () => form(manifestOf({ sha256: 'a'.repeat(64) })), 422, '#/manifest/sha256'],
    ['with a way out in its name', () => form(manifestOf({ name: '../../evil' })), 422, '#/manifest/name'],
    ['with a way out in its version', () => form(manifestOf({ version: '..' })), 422, '#/manifest/version'],
    [
      'whose manifest names a tensor that is not there',
      () => form(manifestOf({ output: { ...world.published.manifest.output, name: 'nowhere' } })),
      422,
      '#/manifest',
    ],
    [
      'without a manifest',
      () => {
        const data = form(manifestOf());
        data.delete('manifest');
        return data;
      },
      400,
      '#/manifest',
    ],
    [
      'without a file',
      () => {
        const data = form(manifestOf());
        data.delete('model');
        return data;
      },
      400,
      '#/model',
    ],
    [
      'with a part too many',
      () => {
        const data = form(manifestOf());
        data.set('surprise', 'x');
        return data;
      },
      400,
      '#/surprise',
    ],
    [
      'with a manifest that is no JSON',
      () => {
        const data = form(manifestOf());
        data.set('manifest', '{');
        return data;
      },
      400,
      '#/manifest',
    ],
  ])('%s is refused by its place, and leaves nothing', async (_, body, status, pointer) => {
    const gateway = await openTestGateway();
    const refused = await problem(gateway.call('/v1/models', { body: body() }), status);
    expect(refused.errors?.[0].pointer).toContain(pointer);
    expect(await left(gateway)).toEqual([]);
    expect(await published(gateway.bus)).toEqual([]);
  });

  it('is refused as anything but a form, and where it is too large', async () => {
    const limits = { file: { bytes: 1000, idleMs: 5000, leastBytesPerS: 1, graceMs: 60_000 } };
    const gateway = await openTestGateway({ limits });
    await problem(gateway.call('/v1/models', { json: manifestOf() }), 415);
    await problem(gateway.call('/v1/models', { body: form(manifestOf()) }), 413);
    async function* endless() {
      for (;;) yield new Uint8Array(300);
    }
    const headers = { 'content-type': 'multipart/form-data; boundary=x' };
    const body = endless() as unknown as RequestInit['body'];
    await expect(
      gateway.call('/v1/models', { body, headers }).then((answer) => problem(answer, 413)),
    ).resolves.toBeDefined();
    expect(await left(gateway)).toEqual([]);
  });
});

/** Speaks HTTP by hand; resolves with all that came back once the connection has ended. */
function raw(url: string, head: readonly string[], ...body: (string | 'end')[]): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(Number(port), hostname, () => {
      socket.write(`${head.join('\r\n')}\r\n\r\n`);
      for (const part of body)
        if (part === 'end') socket.end();
        else socket.write(part);
    });
    socket.on('data', (chunk) => (answer += chunk.toString()));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(answer));
  });
}

describe('a hostile client', () => {
  const head = ({ tokens }: TestGateway, length: string) => [
    'POST /v1/models HTTP/1.1',
    'host: x',
    `authorization: Bearer ${tokens.publisher}`,
    'content-type: multipart/form-data; boundary=b',
    length,
  ];
  const begun = '--b\r\ncontent-disposition: form-data; name="model"; filename="m"\r\n\r\nhalf of it';
  const limits = {
    json: { bytes: 1000, idleMs: 100, leastBytesPerS: 1, graceMs: 60_000 },
    file: { bytes: 10_000, idleMs: 100, leastBytesPerS: 1, graceMs: 60_000 },
  };

  it('that stops in the middle of a body is told so and cut off, and nothing half-written stays', async () => {
    const gateway = await openTestGateway({ limits });
    const answer = await raw(gateway.url, head(gateway, 'content-length: 5000'), begun);
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer).toContain('urn:facet:problem:timeout');
    expect(await left(gateway)).toEqual([]);
  });

  it('that dribbles is cut off, although it is never silent', async () => {
    const slow = { ...limits.file, idleMs: 10_000, leastBytesPerS: 1e9, graceMs: 0 };
    const gateway = await openTestGateway({ limits: { ...limits, file: slow } });
    const answer = await raw(gateway.url, head(gateway, 'content-length: 5000'), begun, 'x');
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(await left(gateway)).toEqual([]);
  });

  it('that never ends its headers is cut off', async () => {
    const gateway = await openTestGateway({ headersTimeoutMs: 100 });
    const { hostname, port } = new URL(gateway.url);
    const answer = await new Promise<string>((resolve) => {
      let text = '';
      const socket = connect(Number(port), hostname, () => socket.write('GET / HTTP/1.1\r\nhost: x\r\n'));
      socket.on('data', (chunk) => (text += chunk.toString()));
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(text));
    });
    expect(answer).toMatch(/^(HTTP\/1\.1 408 |$)/);
  });

  it('that announces more than it sends, and hangs up, leaves nothing', async () => {
    const gateway = await openTestGateway();
    await raw(gateway.url, head(gateway, 'content-length: 5000'), begun, 'end');
    await expect.poll(() => keysOf(gateway.store, 'incoming/')).toEqual([]);
    await expect.poll(async () => (await keysOf(gateway.store, 'audit/')).length).toBe(1);
    expect(await left(gateway)).toEqual([]);
  });

  it('that announces less than it sends gets its form refused, and the rest is no second request', async () => {
    const gateway = await openTestGateway();
    const answer = await raw(gateway.url, head(gateway, `content-length: ${begun.length - 4}`), begun, 'end');
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).not.toMatch(/HTTP\/1\.1 2/);
    expect(await left(gateway)).toEqual([]);
  });

  it('that announces two lengths is refused by the parser', async () => {
    const gateway = await openTestGateway();
    const both = [...head(gateway, 'content-length: 5'), 'transfer-encoding: chunked'];
    expect(await raw(gateway.url, both, begun, 'end')).toMatch(/^HTTP\/1\.1 400 /);
    expect(await left(gateway)).toEqual([]);
  });
});
