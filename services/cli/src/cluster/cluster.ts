/**
 * The whole set on this machine, as a platform team would have it: NATS and MinIO with encrypted connections, a user
 * and a policy for each service, and every service as a process of its own. Data are thrown away at the end.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { GATEWAY_SERVICE } from '@facet/gateway';
import {
  freePort,
  type LocalNats,
  type LocalS3,
  makeCertificates,
  startMinio,
  startNats,
} from '@facet/local';
import { Connections, readConfig } from '@facet/runtime';
import { environmentOf, prepareAccess } from './access.js';
import { bootstrap } from './bootstrap.js';
import { ServiceProcess } from './process.js';
import { SERVICES } from './services.js';

export interface ClusterOptions {
  /** How many processes of a service; one unless said. */
  readonly processes?: Readonly<Record<string, number>>;
  /** Of the first gateway; any free one unless said. */
  readonly port?: number;
  /** More environment for every service. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * What stands between services and servers: gets their addresses, gives those that services use. The servers are ready
   * by then and no service has begun; `connections` are an administrator's.
   */
  readonly between?: (addresses: Addresses, connections: Connections) => Promise<Addresses>;
  readonly say: (line: string) => void;
  readonly onLog: (service: string, line: string) => void;
}

export interface Addresses {
  readonly nats: string;
  readonly s3: string;
}

export interface Cluster {
  readonly nats: LocalNats;
  readonly minio: LocalS3;
  readonly services: ReadonlyMap<string, readonly ServiceProcess[]>;
  /** Where each gateway answers, on this machine alone. */
  readonly gateways: readonly string[];
  /** The environment of an administrator. */
  readonly env: Readonly<Record<string, string>>;
  readonly connections: Connections;
  /** Drains every service, ends the servers and deletes their data. Idempotent. */
  stop(): Promise<void>;
}

const BUCKET = 'facet';
const LOOPBACK = '127.0.0.1';
/** Longer than services take to drain. */
const STOP_LIMIT_MS = 15_000;
const DRAIN_MS = 10_000;

export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const folder = await mkdtemp(join(tmpdir(), 'facet-cluster-'));
  const closers: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  const stop = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    return await open(folder, options, closers, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function open(
  folder: string,
  { processes = {}, port, env = {}, between, say, onLog }: ClusterOptions,
  closers: (() => Promise<unknown>)[],
  stop: () => Promise<void>,
): Promise<Cluster> {
  const tls = await makeCertificates(join(folder, 'certificates'));
  const access = await prepareAccess(join(folder, 'access'), BUCKET, SERVICES);
  const nats = await startNats({ tls, config: await readFile(access.natsUsersFile, 'utf8') });
  closers.push(() => nats.server.stop());
  const minio = await startMinio({ tls, administrator: access.administrator });
  closers.push(() => minio.server.stop());
  const shared = { FACET_NATS_CA_FILE: tls.ca, FACET_S3_CA_FILE: tls.ca, FACET_S3_BUCKET: BUCKET };
  const administrator = {
    ...shared,
    FACET_NATS_URL: nats.url,
    FACET_S3_URL: minio.url,
    ...environmentOf(access.administrator),
  };
  const connections = readConfig(Connections, administrator);
  await bootstrap({ connections, replicas: 1, access, say });
  const addresses = { nats: nats.url, s3: minio.url };
  const reached = between === undefined ? addresses : await between(addresses, connections);
  const services = new Map<string, ServiceProcess[]>();
  const ports = await Promise.all(
    Array.from({ length: processes[GATEWAY_SERVICE.name] ?? 1 }, (_, i) =>
      i === 0 && port !== undefined ? port : freePort(),
    ),
  );
  for (const credentials of access.services) {
    const { name } = credentials;
    const main = await mainOf(name);
    const own = {
      ...shared,
      FACET_NATS_URL: reached.nats,
      FACET_S3_URL: reached.s3,
      ...environmentOf(credentials),
      FACET_HEALTH_HOST: LOOPBACK,
      FACET_HEALTH_PORT: '0',
      FACET_DRAIN_MS: String(DRAIN_MS),
      FACET_LOG_FORMAT: 'json',
      ...env,
    };
    const onLine = (line: string) => onLog(name, line);
    const made = Array.from({ length: processes[name] ?? 1 }, (_, i) => {
      // The same at each start, so that a client finds a gateway again that was killed.
      const http = { FACET_HTTP_HOST: LOOPBACK, FACET_HTTP_PORT: String(ports[i]) };
      const env = name === GATEWAY_SERVICE.name ? { ...own, ...http } : own;
      return new ServiceProcess({ main, env, onLine });
    });
    services.set(name, made);
    say(`service ${name}: ${made.length} started`);
  }
  closers.push(() =>
    Promise.all([...services.values()].flat().map((process) => process.stop(STOP_LIMIT_MS))),
  );
  const gateways = ports.map((bound) => `http://${LOOPBACK}:${bound}`);
  return { nats, minio, services, gateways, env: administrator, connections, stop };
}

/** A service's package says where its process begins. */
async function mainOf(service: string): Promise<string> {
  const path = createRequire(import.meta.url).resolve(`@facet/${service}/package.json`);
  const { bin } = JSON.parse(await readFile(path, 'utf8')) as { bin?: Record<string, string> };
  const main = bin?.[`facet-${service}`];
  if (main === undefined) throw new Error(`package @facet/${service} names no program facet-${service}`);
  return join(dirname(path), main);
}
