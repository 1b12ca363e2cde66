import { execFileSync } from 'node:child_process';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepareAccess, SERVICES } from '@facet/cli';
import { needProgram, programsFound } from '@facet/local';
import { expect, it } from 'vitest';

const CONFIGURATION = fileURLToPath(new URL('../../../k8s/components/nats/nats.conf', import.meta.url));

it.skipIf(!programsFound('nats-server'))(
  'the configuration of NATS is one that the server takes, with the users of the services beside it',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'facet-nats-'));
    await prepareAccess(folder, 'facet', SERVICES);
    await copyFile(CONFIGURATION, join(folder, 'nats.conf'));
    const environment = { ...process.env, NATS_SERVER_NAME: 'nats-0' };
    const options = { encoding: 'utf8', stdio: 'pipe', env: environment } as const;
    const check = () =>
      execFileSync(needProgram('nats-server'), ['-t', '-c', join(folder, 'nats.conf')], options);
    expect(check).not.toThrow();
    await rm(folder, { recursive: true });
  },
);
