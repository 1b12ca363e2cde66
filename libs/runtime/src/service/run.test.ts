/** A service as a process, on real servers: what it tells who asks after its health, and how it ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import {
  authorizationConfig,
  connectNats,
  ensureConsumer,
  ensureStream,
  NatsBus,
  newUserKey,
} from '@facet/bus';
import { STREAMS } from '@facet/contracts';
import { freePort, type LocalNats, type LocalS3, programsFound, startMinio, startNats } from '@facet/local';
import { ensureBucket } from '@facet/store';
import { jetstreamManager } from '@nats-io/jetstream';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { encodeEvent } from '../envelope.js';
import { declareHandler } from '../handler.js';
import { VOCABULARY } from '../vocabulary.js';
import { declareService } from './declaration.js';
import { busRights, consumersOf } from './rights.js';

const LIMITS = { pool: 'cpu', attemptLimitMs: 60_000, maxDeliver: 5 } as const;
const HANDLER = { ...LIMITS, consumes: ['ingestion'], publishes: ['dataset.ingested'] } as const;
/** Longer than any test: what comes again sooner was handed back. */
const LONG_ACK_WAIT_MS = 120_000;
const SHORT_ACK_WAIT_MS = 1_000;
const COMPUTE_MS = 3_000;

/**
 * Takes ingestion jobs and does what the dataset's name says: `wait` until a line comes in, `endless`, or `compute` on more
 * threads than there are cores.
 */
const SERVICE = `
  const { declareHandler, declareService, defineHandler, runService, VOCABULARY } = await import('@facet/runtime');
  const { Worker } = await import('node:worker_threads');
  const [handler, threads, computeMs] = JSON.parse(process.argv[1]);
  const own = declareHandler(VOCABULARY, handler);
  const busy = () => new Promise((resolve) => {
    const code = 'const end = Date.now() + ' + computeMs + '; while (Date.now() < end);';
    new Worker(code, { eval: true }).once('exit', resolve);
  });
  const work = {
    wait: () => new Promise((resolve) => process.stdin.once('data', resolve)),
    endless: () => new Promise(() => undefined),
    compute: () => Promise.all(Array.from({ length: threads }, busy)),
  };
  await runService(declareService({ name: 'test', handlers: [own], reads: [], writes: [] }), '0', () => [
    defineHandler(VOCABULARY, {
      ...own,
      concurrency: 1,
      async handle({ data: { dataset } }, { attempt }) {
        console.log('begun ' + dataset.name + ' ' + attempt);
        await work[dataset.name.split('-')[0]]();
        return [{ type: 'dataset.ingested', data: { dataset, digest: 'a'.repeat(64) } }];
      },
    }),
  ]);
  process.stdin.destroy();
`;

describe.skipIf(!programsFound('nats-server', 'minio'))('the process of a service', () => {
  const [administrator, service, stranger] = [newUserKey(), newUserKey(), newUserKey()];
  const children: ChildProcess[] = [];
  let folder: string;
  let nats: LocalNats;
  let s3: LocalS3;
  let bus: NatsBus;

  const handlerOf = (ackWaitMs: number) =>
    declareHandler(VOCABULARY, { ...HANDLER, name: `test-${ackWaitMs}`, ackWaitMs });
  const serviceOf = (ackWaitMs: number) =>
    declareService({ name: 'test', handlers: [handlerOf(ackWaitMs)], reads: [], writes: [] });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'facet-process-'));
    const both = [LONG_ACK_WAIT_MS, SHORT_ACK_WAIT_MS].map((ms) => busRights(serviceOf(ms)));
    const rights = { ...both[0], consumers: both.flatMap(({ consumers }) => consumers) };
    const config = authorizationConfig([
      { publicKey: administrator.publicKey },
      { publicKey: service.publicKey, rights },
      { publicKey: stranger.publicKey, rights: { ...rights, consumers: [] } },
    ]);
    [nats, s3] = await Promise.all([startNats({ config }), startMinio()]);
    await ensureBucket({ ...s3, bucket: 'facet' });
    await writeFile(join(folder, 'secret.key'), s3.secretKey);
  });
  afterAll(async () => {
    await Promise.all([nats.server.stop(), s3.server.stop()]);
    await rm(folder, { recursive: true });
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await bus.close();
  });

  /** Fresh streams with one consumer, and a bus that may do everything. */
  async function prepare(ackWaitMs: number): Promise<void> {
    const options = { url: nats.url, seed: administrator.seed };
    const connection = await connectNats({ ...options, name: 'admin' });
    const jsm = await jetstreamManager(connection);
    for (const stream of STREAMS) {
      await jsm.streams.delete(stream.name).catch(() => undefined);
      await ensureStream(jsm, stream, 1);
    }
    const [consumer] = consumersOf(serviceOf(ackWaitMs));
    await ensureConsumer(
      jsm,
      consumer,
      STREAMS.find(({ name }) => name === consumer.stream)!,
    );
    await connection.close();
    bus = await NatsBus.connect({ ...options, name: 'admin' }, STREAMS);
  }

  async function start(ackWaitMs: number, { seed = service.seed, drainMs = 30_000 } = {}) {
    const port = await freePort();
    const argument = JSON.stringify([handlerOf(ackWaitMs), 2 * availableParallelism(), COMPUTE_MS]);
    const child = spawn(process.execPath, ['--input-type=module', '-e', SERVICE, argument], {
      cwd: import.meta.dirname,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        FACET_NATS_URL: nats.url,
        FACET_NATS_SEED: seed,
        FACET_S3_URL: s3.url,
        FACET_S3_ACCESS_KEY: s3.accessKey,
        FACET_S3_SECRET_KEY_FILE: join(folder, 'secret.key'),
        FACET_HEALTH_HOST: '127.0.0.1',
        FACET_HEALTH_PORT: String(port),
        FACET_DRAIN_MS: String(drainMs),
      },
    });
    children.push(child);
    const begun: string[] = [];
    let said = '';
    createInterface(child.stdout).on('line', (line) => begun.push(line));
    child.stderr.on('data', (text: Buffer) => (said += text.toString()));
    const ended = once(child, 'close').then(([code]) => code as number | null);
    const health = (path: string) =>
      fetch(`http://127.0.0.1:${port}${path}`).then(
        ({ status }) => status,
        () => 0,
      );
    return { child, begun, ended, health, said: () => said };
  }

  const queue = (name: string) =>
    bus.publish(
      encodeEvent(VOCABULARY, {
        ...{ id: name, type: 'ingestion', source: '/test', time: '2026-01-01T00:00:00Z' },
        data: { dataset: { name, version: '1' }, source: { kind: 'folder', path: '/x' } },
      }),
    );
  const ingested = async () => (await bus.read('FACET_EVENTS', { after: 0, limit: 10 })).length;
  const until = (holds: () => unknown) => vi.waitUntil(holds, { timeout: 30_000, interval: 50 });

  it('ends what it has begun at SIGTERM, takes nothing new, and is not ready meanwhile', async () => {
    await prepare(LONG_ACK_WAIT_MS);
    const { child, begun, ended, health, said } = await start(LONG_ACK_WAIT_MS);
    await until(async () => (await health('/readyz')) === 200);
    await queue('wait-1');
    await queue('wait-2');
    await until(() => begun.includes('begun wait-1 1'));
    child.kill('SIGTERM');
    await until(async () => (await health('/readyz')) === 503);
    expect(await health('/livez')).toBe(200);
    child.stdin.write('go on\n');
    expect(await ended, said()).toBe(0);
    expect(begun).toEqual(['begun wait-1 1']);
    expect(await ingested()).toBe(1);
    const [consumer] = consumersOf(serviceOf(LONG_ACK_WAIT_MS));
    expect(await bus.backlog(consumer)).toEqual({ waiting: 1, unsettled: 0 });
  });

  it('hands back at the end of its drain what does not end, and another process has it at once', async () => {
    await prepare(LONG_ACK_WAIT_MS);
    const first = await start(LONG_ACK_WAIT_MS, { drainMs: 100 });
    await queue('endless-1');
    await until(() => first.begun.length === 1);
    first.child.kill('SIGTERM');
    expect(await first.ended, first.said()).toBe(0);
    const second = await start(LONG_ACK_WAIT_MS);
    await until(() => second.begun.length === 1);
    expect(second.begun).toEqual(['begun endless-1 2']);
  });

  it('keeps its message, and answers, while more threads compute than there are cores', async () => {
    await prepare(SHORT_ACK_WAIT_MS);
    const { begun, health } = await start(SHORT_ACK_WAIT_MS);
    await queue('compute-1');
    await until(() => begun.length === 1);
    expect(await health('/livez')).toBe(200);
    await until(async () => (await ingested()) === 1);
    expect(begun).toEqual(['begun compute-1 1']);
  });

  it('is not ready while NATS or the store is away, alive all the same, and ready again', async () => {
    await prepare(LONG_ACK_WAIT_MS);
    const { begun, health } = await start(LONG_ACK_WAIT_MS);
    await until(async () => (await health('/readyz')) === 200);
    for (const { server } of [nats, s3]) {
      await server.kill();
      await until(async () => (await health('/readyz')) === 503);
      expect(await health('/livez')).toBe(200);
      await server.revive();
      await until(async () => (await health('/readyz')) === 200);
    }
    await queue('wait-1');
    await until(() => begun.length === 1);
  });

  it('ends with 1 and the reason where the bus does not let it take its messages', async () => {
    await prepare(LONG_ACK_WAIT_MS);
    const { ended, said } = await start(LONG_ACK_WAIT_MS, { seed: stranger.seed });
    expect(await ended).toBe(1);
    expect(said()).toContain(
      `consumer test-${LONG_ACK_WAIT_MS}-cpu: this service's NATS user may not do that`,
    );
    expect(said()).not.toContain(stranger.seed);
  });
});
