/**
 * Credentials of every service, in a folder: a folder a service with its secrets, as they are mounted into its process,
 * and beside them what the servers must know, which holds nothing secret. What is there is kept, so that running services
 * keep their access.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { authorizationConfig, newUserKey, publicKeyOf } from '@facet/bus';
import { busRights, type ServiceDeclaration } from '@facet/runtime';
import { policyDocument } from '@facet/store';

/** The user of bootstrap itself, and of `facet` on a terminal. */
export const ADMINISTRATOR = 'admin';

export interface Credentials {
  readonly name: string;
  readonly seedFile: string;
  readonly accessKeyFile: string;
  readonly secretKeyFile: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** What it has beside them: {@link ServiceDeclaration.secrets}. */
  readonly furtherFiles: readonly string[];
}

const FURTHER_SECRET_BYTES = 32;

export interface Access {
  readonly services: readonly (Credentials & { readonly policy: object })[];
  readonly administrator: Credentials;
  /** The server's part: an `authorization` block. */
  readonly natsUsersFile: string;
  /** One line for each thing that was made. */
  readonly changes: readonly string[];
}

/** The environment by which a process finds its files: `link.key` is read as `FACET_LINK_KEY_FILE`. */
export const environmentOf = ({
  seedFile,
  accessKeyFile,
  secretKeyFile,
  furtherFiles,
}: Credentials): Record<string, string> =>
  Object.fromEntries(
    [seedFile, accessKeyFile, secretKeyFile, ...furtherFiles].map((file) => [
      `FACET_${basename(file)
        .toUpperCase()
        .replaceAll(/[^A-Z0-9]/g, '_')}_FILE`,
      file,
    ]),
  );

/** Makes what is missing in the folder. */
export async function prepareAccess(
  folder: string,
  bucket: string,
  services: readonly ServiceDeclaration[],
): Promise<Access> {
  const changes: string[] = [];
  const secretly = async (name: string, file: string, make: () => string): Promise<string> => {
    const path = join(folder, name, file);
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    const secret = make();
    await mkdir(join(folder, name), { recursive: true, mode: 0o700 });
    await writeFile(path, secret, { mode: 0o600, flag: 'wx' });
    changes.push(`${path}: created`);
    return secret;
  };
  const credentials = async (
    name: string,
    further: readonly string[] = [],
  ): Promise<Credentials & { seed: string }> => ({
    name,
    furtherFiles: await Promise.all(
      further.map(async (file) => {
        await secretly(name, file, () => randomBytes(FURTHER_SECRET_BYTES).toString('base64'));
        return join(folder, name, file);
      }),
    ),
    seed: await secretly(name, 'nats.seed', () => newUserKey().seed),
    accessKey: await secretly(name, 's3.access-key', () => `facet-${name}`),
    secretKey: await secretly(name, 's3.secret-key', () => randomBytes(20).toString('hex')),
    seedFile: join(folder, name, 'nats.seed'),
    accessKeyFile: join(folder, name, 's3.access-key'),
    secretKeyFile: join(folder, name, 's3.secret-key'),
  });
  const openly = async (path: string, text: string): Promise<void> => {
    const standing = await readFile(path, 'utf8').catch(() => undefined);
    if (standing === text) return;
    await writeFile(path, text);
    changes.push(`${path}: ${standing === undefined ? 'created' : 'changed'}`);
  };

  const administrator = await credentials(ADMINISTRATOR);
  const known = await Promise.all(
    services.map(async (service) => ({ service, ...(await credentials(service.name, service.secrets)) })),
  );
  const natsUsersFile = join(folder, 'nats-users.conf');
  await openly(
    natsUsersFile,
    authorizationConfig([
      { publicKey: publicKeyOf(administrator.seed) },
      ...known.map(({ service, seed }) => ({ publicKey: publicKeyOf(seed), rights: busRights(service) })),
    ]),
  );
  const withPolicies = known.map(({ service, ...rest }) => ({
    ...rest,
    policy: policyDocument(bucket, service),
  }));
  for (const { name, policy } of withPolicies)
    await openly(join(folder, name, 's3.policy.json'), `${JSON.stringify(policy, null, 2)}\n`);
  return { services: withPolicies, administrator, natsUsersFile, changes };
}
