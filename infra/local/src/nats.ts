/** A NATS server with JetStream. */
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { CertificateFiles } from './certificates.js';
import { needProgram } from './find.js';
import { freePort } from './ready.js';
import { LocalServer } from './server.js';

export interface NatsOptions {
  readonly tls?: CertificateFiles;
  /** More of NATS' configuration, such as `authorization { ... }`. */
  readonly config?: string;
}

export interface LocalNats {
  /** `nats://` or, with certificates, `tls://`. */
  readonly url: string;
  /** Base of the monitoring endpoints, such as `/jsz`. */
  readonly monitorUrl: string;
  readonly server: LocalServer;
}

export async function startNats({ tls, config = '' }: NatsOptions = {}): Promise<LocalNats> {
  const path = needProgram('nats-server');
  const monitorPort = await freePort();
  const server = await LocalServer.start({
    name: 'nats-server',
    async command(port, folder) {
      const file = join(folder, 'nats.conf');
      await mkdir(join(folder, 'jetstream'), { recursive: true });
      const lines = [
        `listen: "127.0.0.1:${port}"`,
        `http: "127.0.0.1:${monitorPort}"`,
        `jetstream { store_dir: ${JSON.stringify(join(folder, 'jetstream'))} }`,
        ...(tls === undefined
          ? []
          : [
              `tls { cert_file: ${JSON.stringify(tls.certificate)}, key_file: ${JSON.stringify(tls.key)}, timeout: 5 }`,
            ]),
        config,
      ];
      await writeFile(file, `${lines.join('\n')}\n`);
      return { path, args: ['--config', file] };
    },
    async probe(port) {
      const response = await fetch(`http://127.0.0.1:${monitorPort}/healthz`);
      if (!response.ok) throw new Error(`/healthz says ${response.status}`);
      await canConnect(port);
    },
  });
  return {
    url: `${tls === undefined ? 'nats' : 'tls'}://127.0.0.1:${server.port}`,
    monitorUrl: `http://127.0.0.1:${monitorPort}`,
    server,
  };
}

/** Resolves when somebody listens on the port. */
export function canConnect(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
  });
}
