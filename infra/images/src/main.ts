#!/usr/bin/env node
/**
 * `node infra/images/dist/main.js SERVICE OUT [--cuda]`: leaves in OUT what the service runs on, for this platform. With
 * `--cuda` it must be able to compute on NVIDIA's GPUs.
 */
import { fileURLToPath } from 'node:url';
import { cudaFiles } from './cuda.js';
import { prune } from './prune.js';

const [service, out, option] = process.argv.slice(2);
const root = fileURLToPath(new URL('../../..', import.meta.url));
try {
  if (service === undefined || out === undefined || (option !== undefined && option !== '--cuda'))
    throw new Error('usage: main.js SERVICE OUT [--cuda]');
  const { platform, arch } = process;
  const { packages } = await prune({ root, service, out, platform, arch });
  if (option !== undefined) cudaFiles(out);
  process.stdout.write(`${service}: ${packages.length} packages\n`);
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
