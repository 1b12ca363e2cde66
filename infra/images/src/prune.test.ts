import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { prune } from './prune.js';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'facet-prune-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function files(entries: Readonly<Record<string, object | string>>) {
  for (const [path, content] of Object.entries(entries)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), typeof content === 'string' ? content : JSON.stringify(content));
  }
}

const manifest = (name: string, version: string, more: object = {}) => ({ name, version, ...more });

/** A service on a library of ours and two versions of somebody's package. */
async function workspace(dependencies: object = { '@ours/lib': '1', left: '1' }) {
  await files({
    'package-lock.json': { packages: { 'node_modules/left': { integrity: 'sha512-AAEC' } } },
    'services/work/package.json': manifest('@ours/work', '1.0.0', { dependencies }),
    'services/work/dist/main.js': '',
    'services/work/dist/main.d.ts': '',
    'services/work/dist/main.js.map': '',
    'services/work/src/main.ts': '',
    'services/work/tsconfig.lib.json': '{}',
    'services/other/package.json': manifest('@ours/other', '1.0.0'),
    'libs/lib/package.json': manifest('@ours/lib', '1.0.0', {
      dependencies: { left: '2' },
      optionalDependencies: { absent: '1' },
      peerDependencies: { vitest: '4' },
      peerDependenciesMeta: { vitest: { optional: true } },
    }),
    'libs/lib/dist/index.js': '',
    'libs/lib/data/plan.yaml': '',
    'libs/lib/src/index.test.ts': '',
    'libs/lib/node_modules/left/package.json': manifest('left', '2.0.0'),
    'node_modules/left/package.json': manifest('left', '1.0.0', { dependencies: { '@scope/right': '1' } }),
    'node_modules/left/src/index.js': '',
    'node_modules/left/node_modules/unused/package.json': manifest('unused', '1.0.0'),
    'node_modules/@scope/right/package.json': manifest('@scope/right', '1.0.0'),
    'node_modules/vitest/package.json': manifest('vitest', '4.0.0'),
  });
  await mkdir(join(root, 'node_modules/@ours'));
  await symlink(join(root, 'libs/lib'), join(root, 'node_modules/@ours/lib'));
}

const run = () => prune({ root, service: 'work', out: join(root, 'out'), platform: 'linux', arch: 'x64' });

async function left(): Promise<string[]> {
  const entries = await readdir(join(root, 'out'), { recursive: true, withFileTypes: true });
  const here = entries.filter((entry) => entry.isFile());
  return here.map(({ parentPath, name }) => join(parentPath, name).slice(join(root, 'out/').length)).sort();
}

describe('a pruned service', () => {
  it('has its own code and every package where Node finds the same version', async () => {
    await workspace();
    const { packages } = await run();
    expect(packages).toEqual([
      '@ours/lib@1.0.0',
      '@ours/work@1.0.0',
      '@scope/right@1.0.0',
      'left@1.0.0',
      'left@2.0.0',
    ]);
    expect(await left()).toEqual([
      'main.mjs',
      'node_modules/@ours/lib/data/plan.yaml',
      'node_modules/@ours/lib/dist/index.js',
      'node_modules/@ours/lib/node_modules/left/package.json',
      'node_modules/@ours/lib/package.json',
      'node_modules/@scope/right/package.json',
      'node_modules/left/package.json',
      'node_modules/left/src/index.js',
      'sbom.cdx.json',
      'services/work/dist/main.js',
      'services/work/package.json',
    ]);
    expect(await readFile(join(root, 'out/main.mjs'), 'utf8')).toContain('services/work/dist/main.js');
  });

  it('says what it holds, as CycloneDX, the same each time', async () => {
    await workspace();
    await run();
    const bill = await readFile(join(root, 'out/sbom.cdx.json'), 'utf8');
    expect(JSON.parse(bill)).toMatchObject({
      bomFormat: 'CycloneDX',
      specVersion: '1.6',
      metadata: { component: { type: 'application', purl: 'pkg:npm/%40ours/work@1.0.0' } },
      components: [
        { purl: 'pkg:npm/%40ours/lib@1.0.0' },
        { purl: 'pkg:npm/%40scope/right@1.0.0' },
        { purl: 'pkg:npm/left@1.0.0', hashes: [{ alg: 'SHA-512', content: '000102' }] },
        { purl: 'pkg:npm/left@2.0.0' },
      ],
    });
    await run();
    expect(await readFile(join(root, 'out/sbom.cdx.json'), 'utf8')).toBe(bill);
  });

  it('has the binaries of its platform alone', async () => {
    await workspace({ 'onnxruntime-node': '1' });
    const bin = 'node_modules/onnxruntime-node/bin/napi-v6';
    await files({
      'node_modules/onnxruntime-node/package.json': manifest('onnxruntime-node', '1.30.0'),
      [`${bin}/linux/x64/a.node`]: '',
      [`${bin}/linux/arm64/a.node`]: '',
      [`${bin}/win32/x64/a.node`]: '',
    });
    await run();
    expect((await left()).filter((path) => path.endsWith('.node'))).toEqual([`${bin}/linux/x64/a.node`]);
  });

  it('replaces what was there before', async () => {
    await workspace({});
    await files({ 'out/node_modules/old/package.json': '{}' });
    await run();
    expect(await left()).not.toContain('node_modules/old/package.json');
  });

  it('cannot be made of a service that is not built, or lacks a package', async () => {
    await workspace({ missing: '1' });
    await expect(run()).rejects.toThrow('@ours/work needs missing, which is not installed');
    await rm(join(root, 'services/work/dist'), { recursive: true });
    await expect(run()).rejects.toThrow('services/work has no dist/main.js; build it first');
  });
});
