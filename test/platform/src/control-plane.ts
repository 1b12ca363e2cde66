/**
 * A Kubernetes control plane on this machine: etcd, the API server, the controllers and the scheduler as they are, and kwok
 * in place of every kubelet. Nodes and pods are objects: the scheduler places pods, kwok says at once that they run, and
 * nothing runs in them. Free ports, tokens of its own, data that are thrown away.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type CertificateFiles,
  freePort,
  LocalServer,
  makeCertificates,
  needModuleFiles,
  needProgram,
} from '@facet/local';
import { Kubectl } from './kubectl.js';

/** A node whose lease is not renewed for 40 s counts as gone. */
const NODE_LEASE_SECONDS = 40;

const SERVICE_ACCOUNT_ISSUER = 'https://kubernetes.default.svc';

/** The names by which RBAC knows them; who may do everything is of the group. */
const USERS = {
  admin: 'admin,admin,"system:masters"',
  kwok: 'kwok,kwok,"system:masters"',
  controllers: 'system:kube-controller-manager,system:kube-controller-manager',
  scheduler: 'system:kube-scheduler,system:kube-scheduler',
  keda: 'keda,keda,"system:masters"',
} as const;
type User = keyof typeof USERS;

export class ControlPlane {
  private readonly servers: LocalServer[] = [];

  private constructor(
    private readonly folder: string,
    /** Of every server of it. */
    readonly tls: CertificateFiles,
    /** As the administrator of the cluster. */
    readonly kubectl: Kubectl,
  ) {}

  /** Resolves when every part of it says that it is ready. Errors: what a part said that did not start. */
  static async start(): Promise<ControlPlane> {
    const folder = await mkdtemp(join(tmpdir(), 'facet-control-plane-'));
    const tls = await makeCertificates(folder);
    const kubectl = new Kubectl(join(folder, 'admin.kubeconfig'), folder);
    const plane = new ControlPlane(folder, tls, kubectl);
    try {
      const etcd = await plane.startEtcd();
      await plane.startApiServer(etcd);
      await Promise.all([plane.startControllers(), plane.startScheduler(), plane.startKwok()]);
      return plane;
    } catch (error) {
      await plane.stop();
      throw error;
    }
  }

  /** Ends it and deletes its data. Idempotent. */
  async stop(): Promise<void> {
    for (const server of this.servers.toReversed()) await server.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  private async startEtcd(): Promise<string> {
    const path = needProgram('etcd');
    const peer = `http://127.0.0.1:${await freePort()}`;
    const url = (port: number) => `http://127.0.0.1:${port}`;
    const server = await LocalServer.start({
      name: 'etcd',
      command: (port, folder) => ({
        path,
        args: [
          ...['--name=facet', `--data-dir=${join(folder, 'data')}`, '--log-level=error', '--unsafe-no-fsync'],
          ...[`--listen-client-urls=${url(port)}`, `--advertise-client-urls=${url(port)}`],
          ...[`--listen-peer-urls=${peer}`, `--initial-advertise-peer-urls=${peer}`],
          `--initial-cluster=facet=${peer}`,
        ],
      }),
      probe: async (port) => {
        const response = await fetch(`${url(port)}/readyz`);
        if (!response.ok) throw new Error(`/readyz says ${response.status}`);
      },
    });
    this.servers.push(server);
    return url(server.port);
  }

  private async startApiServer(etcd: string): Promise<void> {
    const path = needProgram('kube-apiserver');
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await writeFile(this.serviceAccountKey, privateKey.export({ type: 'sec1', format: 'pem' }), {
      mode: 0o600,
    });
    const tokens = new Map(Object.keys(USERS).map((user) => [user as User, randomBytes(24).toString('hex')]));
    const lines = [...tokens].map(([user, token]) => `${token},${USERS[user]}\n`);
    await writeFile(join(this.folder, 'tokens.csv'), lines.join(''), { mode: 0o600 });
    const server = await LocalServer.start({
      name: 'kube-apiserver',
      command: (port, folder) => ({
        path,
        args: [
          ...[`--etcd-servers=${etcd}`, `--cert-dir=${folder}`, `--secure-port=${port}`, ...this.tlsFlags],
          ...['--bind-address=127.0.0.1', '--advertise-address=127.0.0.1', '--endpoint-reconciler-type=none'],
          ...[`--token-auth-file=${join(this.folder, 'tokens.csv')}`, '--authorization-mode=RBAC'],
          ...[`--service-account-issuer=${SERVICE_ACCOUNT_ISSUER}`, '--service-cluster-ip-range=10.0.0.0/16'],
          // As clusters have it: what has no privileges then is what Pod Security has refused them.
          ...['--allow-privileged', `--service-account-key-file=${this.serviceAccountKey}`],
          `--service-account-signing-key-file=${this.serviceAccountKey}`,
        ],
      }),
      probe: (port) => this.isReady(port, 'readyz'),
    });
    this.servers.push(server);
    for (const [user, token] of tokens) {
      const config = kubeconfig(`https://127.0.0.1:${server.port}`, this.tls.ca, token);
      await writeFile(this.kubeconfigOf(user), JSON.stringify(config), { mode: 0o600 });
    }
  }

  private async startControllers(): Promise<void> {
    const path = needProgram('kube-controller-manager');
    await this.startClient('kube-controller-manager', (port) => ({
      path,
      args: [
        ...[...this.clientFlags('controllers'), `--secure-port=${port}`, '--use-service-account-credentials'],
        ...[`--service-account-private-key-file=${this.serviceAccountKey}`, `--root-ca-file=${this.tls.ca}`],
      ],
    }));
  }

  private async startScheduler(): Promise<void> {
    const path = needProgram('kube-scheduler');
    await this.startClient('kube-scheduler', (port) => ({
      path,
      args: [...this.clientFlags('scheduler'), `--secure-port=${port}`],
    }));
  }

  private async startKwok(): Promise<void> {
    const path = needProgram('kwok');
    const stages = needModuleFiles('kwok-stages');
    this.servers.push(
      await LocalServer.start({
        name: 'kwok',
        command: (port, folder) => ({
          path,
          args: [
            ...[`--kubeconfig=${this.kubeconfigOf('kwok')}`, `--config=${stages}`, '--manage-all-nodes'],
            `--node-lease-duration-seconds=${NODE_LEASE_SECONDS}`,
            `--server-address=127.0.0.1:${port}`,
          ],
          // It keeps what it makes in the user's own folder otherwise.
          env: { KWOK_WORKDIR: folder },
        }),
        probe: async (port) => {
          const response = await fetch(`http://127.0.0.1:${port}/healthz`);
          if (!response.ok) throw new Error(`/healthz says ${response.status}`);
        },
      }),
    );
  }

  /** One of Kubernetes' own clients of the API server. */
  private async startClient(
    name: string,
    command: (port: number) => { path: string; args: string[] },
  ): Promise<void> {
    this.servers.push(
      await LocalServer.start({ name, command, probe: (port) => this.isReady(port, 'healthz') }),
    );
  }

  private clientFlags(user: User): string[] {
    return [
      ...[`--kubeconfig=${this.kubeconfigOf(user)}`, '--leader-elect=false', '--bind-address=127.0.0.1'],
      ...['--authentication-skip-lookup', ...this.tlsFlags],
    ];
  }

  private get tlsFlags(): string[] {
    return [`--tls-cert-file=${this.tls.certificate}`, `--tls-private-key-file=${this.tls.key}`];
  }

  private get serviceAccountKey(): string {
    return join(this.folder, 'service-accounts.key');
  }

  /** A file. */
  kubeconfigOf(user: User): string {
    return join(this.folder, `${user}.kubeconfig`);
  }

  private async isReady(port: number, path: string): Promise<void> {
    const ca = await readFile(this.tls.ca);
    const status = await new Promise<number | undefined>((resolve, reject) => {
      get({ host: '127.0.0.1', port, path: `/${path}`, ca, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).on('error', reject);
    });
    if (status !== 200) throw new Error(`/${path} says ${status}`);
  }
}

const kubeconfig = (server: string, authority: string, token: string) => ({
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [{ name: 'facet', cluster: { server, 'certificate-authority': authority } }],
  users: [{ name: 'user', user: { token } }],
  contexts: [{ name: 'facet', context: { cluster: 'facet', user: 'user' } }],
  'current-context': 'facet',
});
