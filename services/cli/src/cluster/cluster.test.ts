/** What bootstrap makes on real servers with encrypted connections, and what a service's credentials do not allow. */
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bus, connectNats, NatsBus, newUserKey } from '@facet/bus';
import { STREAMS } from '@facet/contracts';
import {
  type LocalNats,
  type LocalS3,
  makeCertificates,
  programsFound,
  startMinio,
  startNats,
} from '@facet/local';
import { Connections, consumersOf, encodeEvent, readConfig, VOCABULARY } from '@facet/runtime';
import { hasOtherSecret, S3Store } from '@facet/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Access, type Credentials, prepareAccess } from './access.js';
import { bootstrap } from './bootstrap.js';
import { SERVICES } from './services.js';

describe.skipIf(!programsFound('nats-server', 'minio', 'mc'))('a bootstrapped cluster', () => {
  let folder: string;
  let access: Access;
  let nats: LocalNats;
  let minio: LocalS3;
  let ca: string;
  const said: string[] = [];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'facet-bootstrap-'));
    const tls = await makeCertificates(join(folder, 'certificates'));
    ca = await readFile(tls.ca, 'utf8');
    access = await prepareAccess(join(folder, 'access'), 'facet', SERVICES);
    const { administrator, natsUsersFile } = access;
    nats = await startNats({ tls, config: await readFile(natsUsersFile, 'utf8') });
    minio = await startMinio({ tls, administrator });
    await run();
  });
  afterAll(async () => {
    await nats.server.stop();
    await minio.server.stop();
    await rm(folder, { recursive: true });
  });

  const connectionsOf = ({ seedFile, accessKeyFile, secretKeyFile }: Credentials): Connections =>
    readConfig(Connections, {
      FACET_NATS_URL: nats.url,
      FACET_NATS_SEED_FILE: seedFile,
      FACET_NATS_CA_FILE: join(folder, 'certificates', 'ca.crt'),
      FACET_S3_URL: minio.url,
      FACET_S3_CA_FILE: join(folder, 'certificates', 'ca.crt'),
      FACET_S3_ACCESS_KEY_FILE: accessKeyFile,
      FACET_S3_SECRET_KEY_FILE: secretKeyFile,
    });
  const run = () =>
    bootstrap({
      connections: connectionsOf(access.administrator),
      replicas: 1,
      access,
      say: (line) => said.push(line),
    });
  const attacks = () => access.services.find(({ name }) => name === 'attacks')!;
  const busOf = async (name: string): Promise<NatsBus> => {
    const { seedFile } = access.services.find((service) => service.name === name)!;
    const seed = await readFile(seedFile, 'utf8');
    return NatsBus.connect({ url: nats.url, name, seed, ca }, STREAMS);
  };
  const fault = (attempt: Promise<unknown>) =>
    attempt.then(
      () => 'none',
      (error: unknown) => (error as { fault?: string }).fault ?? error,
    );
  const event = { id: 'x', source: '/test', time: '2026-01-01T00:00:00Z' };
  const published = encodeEvent(VOCABULARY, {
    ...event,
    type: 'model.published',
    data: { model: { name: 'm', version: '1' }, digest: 'a'.repeat(64) },
  });
  const completed = encodeEvent(VOCABULARY, {
    ...event,
    type: 'attack.completed',
    data: { evaluation: 'e', cell: 'c', shard: 0 },
  });
  const consumerOf = (service: string) => consumersOf(SERVICES.find(({ name }) => name === service)!)[0];
  const first = (bus: Bus, service: string, signal = AbortSignal.timeout(500)) =>
    bus.consume(consumerOf(service), signal)[Symbol.asyncIterator]().next();

  it('has everything that is declared, says so, and changes nothing the second time', async () => {
    const made = said.splice(0);
    for (const { name } of STREAMS) expect(made).toContain(`stream ${name}: created`);
    expect(made).toContain('bucket facet: created');
    for (const { name } of SERVICES.flatMap(consumersOf)) expect(made).toContain(`consumer ${name}: created`);
    await run();
    expect(said.filter((line) => !line.endsWith(': unchanged'))).toEqual([]);
    expect((await prepareAccess(join(folder, 'access'), 'facet', SERVICES)).changes).toEqual([]);
  });

  it('has no secret in what is said, nor in the file for the NATS server, nor readable by others', async () => {
    const text = `${said.join('\n')}${await readFile(access.natsUsersFile, 'utf8')}`;
    for (const { seedFile, secretKey, secretKeyFile } of [...access.services, access.administrator]) {
      expect(text).not.toContain(secretKey);
      expect(text).not.toContain(await readFile(seedFile, 'utf8'));
      for (const file of [seedFile, secretKeyFile]) expect((await stat(file)).mode & 0o077).toBe(0);
    }
  });

  it('lets an attack worker do its own work', async () => {
    const bus = await busOf('attacks');
    expect(await bus.publish(completed)).toEqual({ duplicate: false });
    expect(await first(bus, 'attacks')).toMatchObject({ done: true });
    await bus.check();
    await bus.close();
  });

  it('does not let an attack worker publish a model, take others’ work, make consumers or hear others’ answers', async () => {
    const bus = await busOf('attacks');
    expect(await fault(bus.publish(published))).toBe('forbidden');
    expect(await fault(first(bus, 'training'))).toBe('forbidden');
    expect(await fault(bus.position('FACET_EVENTS'))).toBe('forbidden');
    await bus.close();
    const seed = await readFile(attacks().seedFile, 'utf8');
    const raw = await connectNats({ url: nats.url, name: 'attacks', seed, ca });
    const heard = new Promise<unknown>((resolve) => {
      raw.subscribe('_INBOX_features.>', { callback: (error) => resolve(error) });
    });
    expect(String(await heard)).toMatch(/permissions? violation/i);
    await raw.close();
  });

  it('lets the gateway follow facts by their subjects and look after dead letters, and take nobody’s work', async () => {
    const bus = await busOf('gateway');
    const other = await busOf('attacks');
    await other.publish({ ...completed, id: 'followed' });
    for (const subjects of [[completed.subject], [completed.subject, published.subject]]) {
      const facts = bus.follow('FACET_EVENTS', { after: 0, subjects }, AbortSignal.timeout(10_000));
      expect((await facts.next()).value).toMatchObject({ message: { subject: completed.subject } });
      await facts.return(undefined);
    }
    expect(await bus.read('FACET_DLQ', { after: 0, limit: 10 })).toEqual([]);
    expect(await bus.remove('FACET_DLQ', 1)).toBe(false);
    expect(await fault(bus.remove('FACET_EVENTS', 1))).toBe('forbidden');
    expect(await fault(first(bus, 'attacks'))).toBe('forbidden');
    await Promise.all([bus.close(), other.close()]);
  });

  it('lets nobody in without a key, with another key, or over a connection that somebody else signed', async () => {
    const open = (more: object) => NatsBus.connect({ url: nats.url, name: 'x', ca, ...more }, STREAMS);
    await expect(open({})).rejects.toThrow(/authorization/i);
    const { seed } = newUserKey();
    await expect(open({ seed })).rejects.toThrow(/authorization/i);
    const other = await makeCertificates(join(folder, 'others'));
    await expect(open({ ca: await readFile(other.ca, 'utf8') })).rejects.toThrow(/certificate|verify/i);
  });

  it('lets an attack worker read and write its own objects, and no others', async () => {
    const admin = new S3Store({ ...storeOptions(access.administrator), patienceMs: 5_000 });
    const store = new S3Store({ ...storeOptions(attacks()), patienceMs: 5_000 });
    const bytes = new Uint8Array([1]);
    for (const key of ['models/m/1/model.onnx', 'trainings/t/checkpoint', 'standing/s.json'])
      await admin.put(key, bytes);
    expect(await (await store.get('models/m/1/model.onnx'))!.bytes()).toEqual(bytes);
    expect(await store.get('models/m/1/other')).toBeUndefined();
    await store.put('evaluations/e/cells/c/00000.parquet', bytes);
    for (const key of ['models/m/1/model.onnx', 'evaluations/e/plan.json', 'features/f', 'standing/s.json'])
      expect(await fault(store.put(key, bytes)), key).toBe('forbidden');
    expect(await fault(store.delete('models/m/1/model.onnx'))).toBe('forbidden');
    for (const key of ['trainings/t/checkpoint', 'standing/s.json'])
      expect(await fault(store.get(key).then((object) => object?.bytes())), key).toBe('forbidden');
    const stranger = new S3Store({ ...storeOptions(attacks()), secretKey: 'wrong-secret', patienceMs: 1 });
    await expect(stranger.get('models/m/1/model.onnx')).rejects.toThrow();
    for (const opened of [admin, store, stranger]) opened.close();
  });

  it('gives a service the secret that was made anew where the old one is known', async () => {
    const { secretKey: old, secretKeyFile, accessKey } = attacks();
    await rm(secretKeyFile);
    access = await prepareAccess(join(folder, 'access'), 'facet', SERVICES);
    said.splice(0);
    await run();
    expect(said.filter((line) => !line.endsWith(': unchanged'))).toEqual([
      `store user ${accessKey}: secret changed`,
    ]);
    const options = storeOptions(attacks());
    expect(await hasOtherSecret(options)).toBe(false);
    expect(await hasOtherSecret({ ...options, secretKey: old })).toBe(true);
    const store = new S3Store(options);
    await store.put('evaluations/e/cells/c/00001.parquet', new Uint8Array([1]));
    store.close();
  });

  const storeOptions = ({ accessKey, secretKey }: Credentials) => ({
    url: minio.url,
    bucket: 'facet',
    accessKey,
    secretKey,
    ca,
  });
});
