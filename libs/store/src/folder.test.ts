import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { storeConformance } from './conformance.js';
import { FolderStore } from './folder.js';
import { INCOMING, incomingName } from './incoming.js';

storeConformance('folder', async () => {
  const root = await mkdtemp(join(tmpdir(), 'facet-store-'));
  return { store: await FolderStore.open(root), close: () => rm(root, { recursive: true }) };
});

describe('FolderStore', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'facet-store-'));
  });
  afterEach(() => rm(root, { recursive: true }));

  const left = () => readdir(join(root, INCOMING));
  const text = (value: string) => new TextEncoder().encode(value);
  const listed = async (store: FolderStore) => {
    const keys: string[] = [];
    for await (const { key } of store.list('')) keys.push(key);
    return keys;
  };

  it('sees what another store on the same folder wrote', async () => {
    const [one, two] = [await FolderStore.open(root), await FolderStore.open(root)];
    await one.put('a/b', text('x'));
    expect(await (await two.get('a/b'))!.bytes()).toEqual(text('x'));
  });

  it('refuses a key that is a folder of another', async () => {
    const store = await FolderStore.open(root);
    await store.put('a/b', text('x'));
    for (const key of ['a', 'a/b/c', 'a/b/c/d'])
      for (const ifAbsent of [false, true])
        await expect(store.put(key, text('y'), { ifAbsent })).rejects.toMatchObject({ fault: 'conflict' });
    expect(await listed(store)).toEqual(['a/b']);
  });

  it('leaves nothing half-written after puts that succeed, lose and fail', async () => {
    const store = await FolderStore.open(root);
    await store.put('a', text('x'));
    await store.put('a', text('y'), { ifAbsent: true });
    await store.put('a/b', text('z')).catch(() => undefined);
    expect(await left()).toEqual([]);
  });

  it('survives a kill in the middle of a put: the old object stands, the rest is swept', async () => {
    const first = await FolderStore.open(root);
    await first.put('key', text('old'));
    // Built by `tsc -b`; a process of its own, as only that can be killed.
    const entry = new URL('../dist/index.js', import.meta.url).href;
    const script = `
      const { FolderStore } = await import(${JSON.stringify(entry)});
      const store = await FolderStore.open(process.argv[1]);
      async function* endless() {
        yield new Uint8Array(100_000);
        process.stdout.write('half');
        await new Promise(() => setInterval(() => {}, 1000));
      }
      await store.put('key', endless());
    `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, root], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    expect(await left()).toHaveLength(1);
    await FolderStore.open(root);
    expect(await left(), 'the file of a running process stays').toHaveLength(1);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    const store = await FolderStore.open(root);
    expect(await left()).toEqual([]);
    expect(await listed(store)).toEqual(['key']);
    expect(await (await store.get('key'))!.bytes()).toEqual(text('old'));
  });

  it('tells its own half-written files from those of an earlier process with the same number', async () => {
    const store = await FolderStore.open(root);
    const earlier = new Date(Date.now() - process.uptime() * 1000 - 60_000);
    await writeFile(join(root, INCOMING, `${incomingName()}earlier`), 'x');
    await utimes(join(root, INCOMING, `${incomingName()}earlier`), earlier, earlier);
    await writeFile(join(root, INCOMING, `${incomingName()}ours`), 'x');
    await writeFile(join(root, INCOMING, `not-${hostname()}~1~theirs`), 'x');
    await writeFile(join(root, INCOMING, `not-${hostname()}~1~abandoned`), 'x');
    await utimes(join(root, INCOMING, `not-${hostname()}~1~abandoned`), 0, 0);
    expect(await listed(store)).toEqual([]);
    await FolderStore.open(root);
    expect((await left()).sort()).toEqual([`${incomingName()}ours`, `not-${hostname()}~1~theirs`].sort());
  });
});
