// What the examples share: Facet is run as anybody runs it, in a process of its own, with its output shown.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Where an example writes: its argument, or a folder that git ignores. */
export const OUT = resolve(process.argv[2] ?? join(ROOT, 'facet-out', 'examples'));

/** Runs `facet` and returns its exit code: 0, or 3 where a policy does not hold. An error ends the example. */
export function facet(...args) {
  const built = join(ROOT, 'services', 'cli', 'dist', 'main.js');
  const command = existsSync(built) ? built : join(ROOT, 'tools', 'facet.mjs');
  const { status, error } = spawnSync(process.execPath, [command, ...args], { stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0 && status !== 3) process.exit(status ?? 1);
  return status;
}

export const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));

export const percent = (rate) => `${(100 * rate).toFixed(1)} %`;
