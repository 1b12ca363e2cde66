/** A certificate authority of our own and a server's certificate, for encrypted connections on this machine. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface CertificateFiles {
  /** PEM files: the authority, the server's certificate, its private key (PKCS #8). */
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const VALID_MS = 7 * 24 * 3_600_000;
/** Clocks differ. */
const SLACK_MS = 3_600_000;

/** Writes `ca.crt`, `server.crt` and `server.key`, valid a week for localhost, 127.0.0.1 and `names`. */
export async function makeCertificates(
  folder: string,
  names: readonly string[] = [],
): Promise<CertificateFiles> {
  // Only here: the library is large, and needs the polyfill before it.
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const notBefore = new Date(Date.now() - SLACK_MS);
  const notAfter = new Date(Date.now() + VALID_MS);
  const [authority, server] = await Promise.all([newKeys(), newKeys()]);
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=Facet local authority',
    keys: authority,
    notBefore,
    notAfter,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  const certificate = await x509.X509CertificateGenerator.create({
    subject: 'CN=localhost',
    issuer: ca.subject,
    publicKey: server.publicKey,
    signingKey: authority.privateKey,
    notBefore,
    notAfter,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.SubjectAlternativeNameExtension([
        { type: 'ip', value: '127.0.0.1' },
        ...['localhost', ...names].map((value) => ({ type: 'dns' as const, value })),
      ]),
      // Servers of one cluster are each other's clients.
      new x509.ExtendedKeyUsageExtension([
        x509.ExtendedKeyUsage.serverAuth,
        x509.ExtendedKeyUsage.clientAuth,
      ]),
    ],
  });
  await mkdir(folder, { recursive: true });
  const files = {
    ca: join(folder, 'ca.crt'),
    certificate: join(folder, 'server.crt'),
    key: join(folder, 'server.key'),
  };
  const pkcs8 = await crypto.subtle.exportKey('pkcs8', server.privateKey);
  await writeFile(files.ca, `${ca.toString('pem')}\n`);
  await writeFile(files.certificate, `${certificate.toString('pem')}\n`);
  await writeFile(files.key, `${x509.PemConverter.encode(pkcs8, 'PRIVATE KEY')}\n`, { mode: 0o600 });
  return files;
}

const newKeys = () => crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
