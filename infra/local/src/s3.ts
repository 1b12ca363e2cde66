/** Object stores with S3's interface: MinIO, and versitygw over a folder. */
import { randomBytes } from 'node:crypto';
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { CertificateFiles } from './certificates.js';
import { needProgram } from './find.js';
import { canConnect } from './nats.js';
import { LocalServer } from './server.js';

export interface LocalS3 {
  /** Such as `http://127.0.0.1:9000`. */
  readonly url: string;
  /** Of the administrator. */
  readonly accessKey: string;
  readonly secretKey: string;
  readonly server: LocalServer;
}

export interface Administrator {
  readonly accessKey: string;
  readonly secretKey: string;
}

const newAdministrator = (): Administrator => ({
  accessKey: 'facet-admin',
  secretKey: randomBytes(20).toString('hex'),
});

export interface MinioOptions {
  readonly tls?: CertificateFiles;
  /** A new one unless given. */
  readonly administrator?: Administrator;
}

export async function startMinio({ tls, administrator }: MinioOptions = {}): Promise<LocalS3> {
  const path = needProgram('minio');
  const { accessKey, secretKey } = administrator ?? newAdministrator();
  const server = await LocalServer.start({
    name: 'minio',
    async command(port, folder) {
      const certificates = join(folder, 'certificates');
      await mkdir(certificates, { recursive: true });
      if (tls !== undefined) {
        await copyFile(tls.certificate, join(certificates, 'public.crt'));
        await copyFile(tls.key, join(certificates, 'private.key'));
      }
      const address = `127.0.0.1:${port}`;
      return {
        path,
        args: [
          ...['server', '--quiet', '--address', address, '--console-address', '127.0.0.1:0'],
          ...['--certs-dir', certificates, join(folder, 'data')],
        ],
        env: {
          MINIO_ROOT_USER: accessKey,
          MINIO_ROOT_PASSWORD: secretKey,
          MINIO_BROWSER: 'off',
          MINIO_UPDATE: 'off',
          MINIO_PROMETHEUS_AUTH_TYPE: 'public',
        },
      };
    },
    async probe(port) {
      await canConnect(port);
      if (tls !== undefined) return;
      const response = await fetch(`http://127.0.0.1:${port}/minio/health/cluster`);
      if (!response.ok) throw new Error(`/minio/health/cluster says ${response.status}`);
    },
  });
  const scheme = tls === undefined ? 'http' : 'https';
  return { url: `${scheme}://127.0.0.1:${server.port}`, accessKey, secretKey, server };
}

export async function startVersitygw(): Promise<LocalS3> {
  const path = needProgram('versitygw');
  const { accessKey, secretKey } = newAdministrator();
  const server = await LocalServer.start({
    name: 'versitygw',
    async command(port, folder) {
      const data = join(folder, 'data');
      await mkdir(data, { recursive: true });
      return {
        path,
        args: ['--quiet', '--port', `127.0.0.1:${port}`, 'posix', data],
        env: { ROOT_ACCESS_KEY: accessKey, ROOT_SECRET_KEY: secretKey },
      };
    },
    probe: canConnect,
  });
  return { url: `http://127.0.0.1:${server.port}`, accessKey, secretKey, server };
}
