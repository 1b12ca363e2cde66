/**
 * The gateway as a process of a cluster, on real NATS and MinIO with encrypted connections: by every remote command of the
 * command line, and by a client that meets one replica after the other.
 */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { get as getEncrypted } from 'node:https';
import { type Cluster, createClusterToken, startCluster } from '@facet/cli';
import { keys, Report } from '@facet/contracts';
import { programsFound } from '@facet/local';
import { connectStore } from '@facet/runtime';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { facet, scratch } from './facet.js';
import { plan, policy, SIZE } from './given.fixture.js';
import { facesOf, networkOf, writeFiles } from './inputs.fixture.js';

const LIMIT_MS = 120_000;
const PNG = 'iVBORw0KGgo';

interface Progress {
  readonly state: string;
  readonly done: number;
  readonly total: number;
}

describe.skipIf(!programsFound('nats-server', 'minio', 'mc'))('the gateway of a cluster', () => {
  let folder: Awaited<ReturnType<typeof scratch>>;
  let cluster: Cluster;
  let token: string;
  const said: string[] = [];

  beforeAll(async () => {
    folder = await scratch();
    const network = networkOf(SIZE);
    const { dataset, images } = await facesOf(SIZE, { train: 60, dev: 16, test: 8 });
    await writeFiles(folder.path(), {
      'model.onnx': network.model,
      'manifest.json': network.manifest,
      'plan.json': { ...plan, samples: 8, batch: 1, shard: 1, priorSamples: 60 },
      'holds.json': policy,
      'fails.json': { ...policy, name: 'perfect', clean: { minAccuracy: 1 } },
      'faces/dataset.json': dataset,
      'broken/dataset.json': { ...dataset, name: 'broken' },
    });
    await writeFiles(folder.path('faces'), images);
    await writeFiles(folder.path('broken'), new Map([...images.keys()].map((name) => [name, 'no image'])));
    cluster = await startCluster({
      processes: { gateway: 2 },
      env: { FACET_THREADS: '1', FACET_LOG_LEVEL: 'debug' },
      say: (line) => said.push(line),
      onLog: (service, line) => said.push(`${service} ${line}`),
    });
    token = await createClusterToken(cluster.connections, { name: 'the test', role: 'admin' });
    for (const url of cluster.gateways) await vi.waitUntil(() => reachable(url), { timeout: 60_000 });
  }, LIMIT_MS);
  afterAll(async () => {
    await cluster.stop();
    await folder.remove();
  }, LIMIT_MS);

  const reachable = (url: string) =>
    fetch(`${url}/openapi.json`).then(
      ({ ok }) => ok,
      () => false,
    );
  const run = (args: readonly string[], bearer = token) =>
    facet(args, { env: { ...process.env, FACET_SERVER: cluster.gateways[0], FACET_TOKEN: bearer } });
  const evaluate = (policyFile: string, out: string) =>
    run([
      ...['evaluate', '--server', cluster.gateways[0], '--model', folder.path('model.onnx')],
      ...['--manifest', folder.path('manifest.json'), '--dataset', folder.path('faces')],
      ...['--plan', folder.path('plan.json'), '--policy', folder.path(policyFile)],
      ...['--out', folder.path(out)],
    ]);
  const lines = async (...args: string[]) => {
    const { code, stdout, stderr } = await run(args);
    expect(code, stderr).toBe(0);
    return stdout.split('\n').filter((line) => line !== '');
  };
  const ask = async (gateway: number, path: string, init: RequestInit = {}) => {
    const headers = { authorization: `Bearer ${token}`, ...(init.headers as Record<string, string>) };
    const answer = await fetch(`${cluster.gateways[gateway]}${path}`, { ...init, headers });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  const evaluationOf = async (gateway: number, changes: object) => {
    const own = JSON.parse(await readFile(folder.path('plan.json'), 'utf8')) as object;
    const [model, dataset] = [
      { name: 'network', version: '1' },
      { name: 'faces', version: '1' },
    ];
    const body = JSON.stringify({ model, dataset, plan: { ...own, ...changes } });
    const headers = { 'content-type': 'application/json' };
    const answer = await ask(gateway, '/v1/evaluations', { method: 'POST', body, headers });
    expect(answer.status, JSON.stringify(answer.body)).toBe(202);
    return answer.body['id'] as string;
  };

  it(
    'evaluates what it is sent, with the reports and exit codes of a local run',
    async () => {
      const held = await evaluate('holds.json', 'held');
      expect(held.code, `${held.stderr}\n${said.slice(-30).join('\n')}`).toBe(0);
      const report = Report.parse(JSON.parse(await readFile(folder.path('held', 'report.json'), 'utf8')));
      expect(report.verdict).toMatchObject({ policy: 'none', passed: true });
      expect(await readFile(folder.path('held', 'report.junit.xml'), 'utf8')).toContain('<testsuites');
      expect(held.stdout).toContain('Policy none: passed');
      const fails = await evaluate('fails.json', 'fails');
      expect(fails.code, fails.stderr).toBe(3);
      expect(await lines('models', 'list')).toEqual([expect.stringMatching(/^network@1 {2}rejected/)]);
      expect(await lines('datasets', 'list')).toEqual([expect.stringMatching(/^faces@1 {2}ready/)]);
      expect(await lines('evaluations', 'list')).toEqual(
        Array(2).fill(expect.stringMatching(/^network-\w+ {2}completed {2}8\/8$/)),
      );
      const shown = (await lines('evaluations', 'show', report.evaluation)).join('\n');
      expect(JSON.parse(shown)).toMatchObject({ id: report.evaluation, state: 'completed' });
      const again = ['--model', folder.path('model.onnx'), '--manifest', folder.path('manifest.json')];
      expect(await lines('publish', ...again)).toEqual([expect.stringContaining(report.model.sha256)]);
    },
    LIMIT_MS,
  );

  it(
    'goes on with its progress on another replica when one is killed, without an event twice',
    async () => {
      const id = await evaluationOf(1, { seed: 11 });
      const first = await follow(0, id, undefined, () => true);
      expect(cluster.services.get('gateway')![0].kill()).toBe(true);
      const rest = await follow(1, id, first.at(-1)!.id);
      const ids = [...first, ...rest].map((event) => event.id);
      expect(new Set(ids).size).toBe(ids.length);
      expect(rest.at(-1)!.progress).toMatchObject({ state: 'completed', done: 8, total: 8 });
      await expect.poll(() => reachable(cluster.gateways[0]), { timeout: 30_000 }).toBe(true);
      expect(await ask(0, `/v1/evaluations/${id}`)).toMatchObject({ body: { state: 'completed', done: 8 } });
    },
    LIMIT_MS,
  );

  it('opens images by links of the store and of its own, which nobody can change', async () => {
    const { body } = await ask(0, '/v1/evaluations?limit=1');
    const [{ id }] = body['items'] as { id: string }[];
    const found = await ask(0, `/v1/evaluations/${id}/images?cell=live.direct.fgsm.linf-2_255`);
    const { archive, images } = found.body as { archive: string; images: { link: string }[] };
    expect(new URL(archive).host).toBe(new URL(cluster.env['FACET_S3_URL']).host);
    const tar = await fromStore(archive);
    expect([tar.status, tar.bytes.subarray(257, 262).toString()]).toEqual([200, 'ustar']);
    expect((await fromStore(archive.replace('00000.tar', '00001.tar'))).status).toBe(403);
    // Made by one replica, opened by the other.
    const image = await fetch(`${cluster.gateways[1]}${images[0].link}`);
    expect(image.headers.get('content-type')).toBe('image/png');
    expect(
      Buffer.from(await image.arrayBuffer())
        .toString('base64')
        .slice(0, PNG.length),
    ).toBe(PNG);
  });

  it('stops an evaluation, and says what cannot be stopped', async () => {
    const [attack] = plan.attacks;
    const id = await evaluationOf(0, {
      attacks: [{ ...attack, searches: [{ name: 'pgd', steps: 1000, restarts: 8 }] }],
    });
    expect(await lines('evaluations', 'cancel', id)).toEqual([`${id}  cancelled`]);
    const { body } = await ask(0, '/v1/evaluations?state=completed&limit=1');
    const [{ id: done }] = body['items'] as { id: string }[];
    const refused = await run(['evaluations', 'cancel', done]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('has completed already');
  });

  it(
    'shows what was given up, sends it again, and drops it',
    async () => {
      const upload = await run(['datasets', 'upload', folder.path('broken')]);
      expect(upload.code).toBe(1);
      expect(upload.stderr).toContain('dataset broken@1');
      const [letter, ...others] = await lines('dlq', 'list');
      expect(others).toEqual([]);
      const [sequence] = letter.split(' ');
      expect(letter).toContain('ingestion');
      const shown = JSON.parse((await lines('dlq', 'show', sequence)).join('\n')) as object;
      expect(shown).toMatchObject({
        letter: { handler: 'ingestion', original: { data: expect.any(String) } },
      });
      expect(await lines('dlq', 'replay', sequence)).toEqual([]);
      const letters = async () => (await ask(1, '/v1/dead-letters')).body['items'] as { sequence: number }[];
      await expect.poll(letters, { timeout: 30_000 }).toHaveLength(1);
      const [again] = await letters();
      expect(String(again.sequence)).not.toBe(sequence);
      expect(await lines('dlq', 'drop', String(again.sequence))).toEqual([]);
      expect(await letters()).toEqual([]);
    },
    LIMIT_MS,
  );

  it('hands out tokens that may do what their role may', async () => {
    const [viewer] = await lines('token', 'create', '--role', 'viewer', '--name', 'somebody');
    const refused = await run(['datasets', 'delete', 'faces@1'], viewer);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('needs the role operator')]);
  });

  it('lets an upload end that is under way at SIGTERM, and takes no other', async () => {
    const [, other] = cluster.services.get('gateway')!;
    const upload = await beginUpload(cluster.gateways[1]);
    process.kill(other.pid!, 'SIGTERM');
    await expect.poll(() => reachable(cluster.gateways[1])).toBe(false);
    const answer = await upload.end();
    expect(answer).toMatchObject({ status: 200, body: { name: 'network' } });
    await expect.poll(() => reachable(cluster.gateways[1]), { timeout: 30_000 }).toBe(true);
  });

  it('deletes a dataset with everything that was made of it', async () => {
    expect(await lines('datasets', 'delete', 'faces@1')).toEqual([
      expect.stringMatching(/^\d+ objects, 4 evaluations$/),
    ]);
    const store = connectStore(cluster.connections);
    for (const prefix of [keys.dataset.folder({ name: 'faces', version: '1' }), 'evaluations/', 'features/'])
      for await (const { key } of store.list(prefix)) expect.unreachable(key);
    store.close();
    expect((await ask(0, '/v1/models')).body['items']).toHaveLength(1);
  });

  it('has written no secret into any log, its own least of all', async () => {
    const text = said.join('\n');
    expect(text).toContain('publishModel');
    expect(text).not.toContain(token.split('_').at(-1));
    for (const [name, value] of Object.entries(cluster.env))
      if (/(SEED|SECRET_KEY)_FILE$/.test(name)) {
        expect(text, name).not.toContain((await readFile(value, 'utf8')).trim());
        const folderOf = (service: string) => value.replace(/\/admin\//, `/${service}/`);
        for (const service of cluster.services.keys())
          expect(text, `${service} ${name}`).not.toContain(
            (await readFile(folderOf(service), 'utf8')).trim(),
          );
      }
    const linkKey = cluster.env['FACET_NATS_SEED_FILE'].replace(/admin\/nats\.seed$/, 'gateway/link.key');
    expect(text).not.toContain(await readFile(linkKey, 'utf8'));
  });

  /** Progress from a replica, until it ends or `enough` says so. */
  async function follow(
    gateway: number,
    id: string,
    lastEventId?: string,
    enough: (progress: Progress) => boolean = () => false,
  ) {
    const stop = new AbortController();
    const answer = await fetch(`${cluster.gateways[gateway]}/v1/evaluations/${id}/events`, {
      signal: stop.signal,
      headers: { authorization: `Bearer ${token}`, ...(lastEventId && { 'last-event-id': lastEventId }) },
    });
    const events: { id: string; progress: Progress }[] = [];
    let text = '';
    for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const [, eventId, data] = /id: (.*)\nevent: progress\ndata: (.*)/.exec(text.slice(0, end)) ?? [];
        text = text.slice(end + 2);
        if (eventId === undefined) continue;
        const progress = JSON.parse(data) as Progress;
        events.push({ id: eventId, progress });
        if (!enough(progress)) continue;
        stop.abort();
        return events;
      }
    }
    return events;
  }

  async function fromStore(link: string) {
    const ca = await readFile(cluster.env['FACET_S3_CA_FILE']);
    const [answer] = (await once(getEncrypted(link, { ca }), 'response')) as [IncomingMessage];
    return { status: answer.statusCode, bytes: Buffer.concat(await answer.toArray()) };
  }

  /** Sends the first half of a form, and the second one at `end`. */
  async function beginUpload(url: string) {
    const manifest = await readFile(folder.path('manifest.json'), 'utf8');
    const model = await readFile(folder.path('model.onnx'));
    const head = (name: string) => `--x\r\ncontent-disposition: form-data; name="${name}"`;
    const half = Buffer.concat([
      Buffer.from(`${head('manifest')}\r\n\r\n${manifest}\r\n${head('model')}; filename="m"\r\n\r\n`),
      model.subarray(0, 1000),
    ]);
    const upload: ClientRequest = request(`${url}/v1/models`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'multipart/form-data; boundary=x',
        // So that it is known to be under way.
        expect: '100-continue',
      },
    });
    upload.flushHeaders();
    await once(upload, 'continue');
    upload.write(half);
    return {
      async end() {
        upload.end(Buffer.concat([model.subarray(1000), Buffer.from('\r\n--x--\r\n')]));
        const [answer] = (await once(upload, 'response')) as [IncomingMessage];
        const body = JSON.parse(Buffer.concat(await answer.toArray()).toString()) as Record<string, unknown>;
        return { status: answer.statusCode, body };
      },
    };
  }
});
