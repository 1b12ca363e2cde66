import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { cacheFolder } from './cache.js';
import { peerEnvironment, python, runToEnd } from './python.js';

describe('runToEnd', () => {
  it('passes lines on', async () => {
    const lines: string[] = [];
    await runToEnd(process.execPath, ['-e', 'console.log("a\\n\\nb"); console.error("c")'], (line) =>
      lines.push(line),
    );
    expect(lines.sort()).toEqual(['a', 'b', 'c']);
  });

  it('fails with the last lines', async () => {
    const failing = runToEnd(process.execPath, ['-e', 'console.error("no such package"); process.exit(2)']);
    await expect(failing).rejects.toThrow(/ended with 2: no such package/);
  });
});

it('keeps settings of old numerical libraries from the peers', () => {
  expect(peerEnvironment({ OPENBLAS_CORETYPE: 'Haswell', OPENBLAS_L2_SIZE: '1', HOME: '/home/me' })).toEqual({
    HOME: '/home/me',
    PYTHONDONTWRITEBYTECODE: '1',
  });
});

it('keeps its files where the machine keeps caches', () => {
  expect(cacheFolder({ XDG_CACHE_HOME: '/caches' })).toBe(join('/caches', 'facet', 'bench'));
  expect(cacheFolder({})).toMatch(/facet.bench$/);
});

describe('where there is no Python', () => {
  let empty: string;
  beforeEach(async () => {
    empty = await mkdtemp(join(tmpdir(), 'facet-bench-'));
    vi.stubEnv('PATH', empty);
    vi.stubEnv('XDG_CACHE_HOME', empty);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(empty, { recursive: true });
  });

  it('says so', async () => {
    await expect(python(() => undefined)).rejects.toMatchObject({
      name: 'NoPeer',
      message: 'Python 3.10 or newer is needed',
    });
  });
});
