import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { needProgram, programsFound } from '@facet/local';
import { expect, it } from 'vitest';

const CONFIGURATION = fileURLToPath(new URL('../../../k8s/components/nats/nats.conf', import.meta.url));

it.skipIf(!programsFound('nats-server'))('the configuration of NATS is one that the server takes', () => {
  const environment = { ...process.env, NATS_SERVER_NAME: 'nats-0' };
  const options = { encoding: 'utf8', stdio: 'pipe', env: environment } as const;
  const check = () => execFileSync(needProgram('nats-server'), ['-t', '-c', CONFIGURATION], options);
  expect(check).not.toThrow();
});
