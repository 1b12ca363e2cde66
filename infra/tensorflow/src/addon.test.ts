import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { buildAddon } from './build.js';
import { addonFolder, findAddon } from './find.js';

let cache: string;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'facet-addon-'));
  vi.stubEnv('FACET_CACHE', cache);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true });
});

it('is not there until it is built, and the one for GPUs goes first', () => {
  expect(findAddon()).toBeUndefined();
  mkdirSync(addonFolder('cpu'), { recursive: true });
  expect(findAddon()).toMatchObject({ kind: 'cpu', folder: addonFolder('cpu') });
  mkdirSync(addonFolder('cuda'), { recursive: true });
  expect(findAddon()).toMatchObject({ kind: 'cuda' });
});

it('is not built again where it is there', async () => {
  mkdirSync(addonFolder('cpu'), { recursive: true });
  const said: string[] = [];
  expect(await buildAddon('cpu', (line) => said.push(line))).toEqual(findAddon());
  expect(said).toEqual([]);
});

it('says what is missing, and leaves nothing half built', async () => {
  vi.stubEnv('PATH', cache);
  await expect(buildAddon('cpu', () => undefined)).rejects.toThrow(
    process.platform === 'linux' && process.arch === 'x64'
      ? 'npm could not be started; Node.js with npm is needed'
      : 'for Linux on x64 only',
  );
  const left = process.platform === 'linux' ? readdirSync(dirname(addonFolder('cpu'))) : [];
  expect(left).toEqual([]);
});
