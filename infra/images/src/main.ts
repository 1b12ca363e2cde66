#!/usr/bin/env node
/** `node infra/images/dist/main.js SERVICE OUT`: leaves in OUT what the service runs on, for this platform. */
import { fileURLToPath } from 'node:url';
import { prune } from './prune.js';

const [service, out] = process.argv.slice(2);
const root = fileURLToPath(new URL('../../..', import.meta.url));
try {
  if (service === undefined || out === undefined) throw new Error('usage: main.js SERVICE OUT');
  const { platform, arch } = process;
  const { packages } = await prune({ root, service, out, platform, arch });
  process.stdout.write(`${service}: ${packages.length} packages\n`);
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
