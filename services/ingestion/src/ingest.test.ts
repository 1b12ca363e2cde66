import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Dataset, sha256 } from '@facet/catalog';
import { DatasetSource, keys, type Ref, SPLITS } from '@facet/contracts';
import { DatasetError, decodePng, encodePng } from '@facet/datasets';
import { InputError, NO_LOG, NO_PROGRESS } from '@facet/runtime';
import { FolderStore } from '@facet/store';
import type { ThreadPool } from '@facet/threads';
import { pack } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ingestionHandler, openRenderer } from './index.js';
import { ingest, type IngestDependencies } from './ingest.js';

const ref: Ref = { name: 'faces', version: '1' };
const COUNTS = { train: 262, dev: 6, test: 5 };
const synthetic = (changes: object = {}): DatasetSource =>
  DatasetSource.parse({ kind: 'synthetic', seed: 4, size: 16, samples: COUNTS, ...changes });

let root: string;
let renderer: ThreadPool;
let first: FolderStore;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'facet-ingestion-'));
  renderer = openRenderer(2);
  first = await openStore('first');
  await run(first, synthetic());
});
afterAll(async () => {
  await renderer.close();
  await rm(root, { recursive: true });
});

const openStore = (name: string): Promise<FolderStore> => FolderStore.open(join(root, name));

const run = (
  store: FolderStore,
  source: DatasetSource,
  { signal = new AbortController().signal, pool = renderer, seen = [] as number[][] } = {},
) => ingest({ store, renderer: pool }, ref, source, { signal, onProgress: (...at) => seen.push(at) });

async function contents(store: FolderStore): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const { key } of store.list('')) found[key] = sha256(await (await store.get(key))!.bytes());
  return found;
}

/** Renders nothing. */
const idle = {
  run: () => Promise.reject(new Error('nothing was to be rendered')),
} as unknown as IngestDependencies['renderer'] as ThreadPool;

const caught = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('synthetic faces', () => {
  it('become a dataset whose manifest says what is stored', async () => {
    const { manifest } = await Dataset.open(first, ref);
    const dataset = await Dataset.open(first, ref);
    expect(manifest).toMatchObject({
      ...ref,
      size: { height: 16, width: 16 },
      maps: ['depth', 'reflection'],
    });
    expect(manifest.splits.train.map(({ samples }) => samples)).toEqual([256, 6]);
    const stored = await contents(first);
    const keysSeen = new Set<string>();
    for (const split of SPLITS) {
      for (const [i, shard] of manifest.splits[split].entries()) {
        expect(shard.key).toBe(keys.dataset.shard(ref, split, i));
        expect(stored[shard.key]).toBe(shard.sha256);
      }
      let count = 0;
      for await (const { key, png, depth, labels } of dataset.samples(split)) {
        count++;
        keysSeen.add(key);
        expect(labels.spoofType === 'live').toBe(labels.label === 'live');
        if (count > 3) continue;
        expect((await decodePng(png)).width).toBe(16);
        expect((await decodePng(depth!, 1)).height).toBe(16);
      }
      expect(count).toBe(COUNTS[split]);
    }
    expect(keysSeen.size).toBe(262 + 6 + 5);
  });

  it('are found when they are asked for again, and refused when they are asked for otherwise', async () => {
    const before = await contents(first);
    const { manifest } = await Dataset.open(first, ref);
    expect(await run(first, synthetic(), { pool: idle })).toEqual(manifest);
    for (const other of [
      synthetic({ seed: 5 }),
      synthetic({ size: 24 }),
      synthetic({ samples: { ...COUNTS, dev: 8 } }),
      synthetic({ variant: 'shifted' }),
      synthetic({ heldOut: ['phone'] }),
    ]) {
      const error = await caught(run(first, other, { pool: idle }));
      expect(error).toBeInstanceOf(InputError);
      expect(error).toMatchObject({ field: 'version' });
    }
    expect(await contents(first)).toEqual(before);
  });

  it('go on where an interrupted ingestion stopped, to the same bytes', async () => {
    const store = await openStore('resumed');
    const wanted = await contents(first);
    const shard = keys.dataset.shard(ref, 'train', 0);
    await store.put(shard, await (await first.get(shard))!.bytes());
    const controller = new AbortController();
    const reason = new Error('enough');
    const stopped = ingest({ store, renderer }, ref, synthetic(), {
      signal: controller.signal,
      onProgress: (done) => done === 20 && controller.abort(reason),
    });
    await expect(stopped).rejects.toBe(reason);
    expect(await store.get(keys.dataset.manifest(ref))).toBeUndefined();
    const seen: number[][] = [];
    await run(store, synthetic(), { seen });
    expect(await contents(store)).toEqual(wanted);
    expect(seen).toEqual(Array.from({ length: 273 }, (_, i) => [i + 1, 273]));
  });

  it('do not mix with shards of another dataset', async () => {
    const store = await openStore('mixed');
    const small = { train: 0, dev: 0, test: 4 };
    await store.put(keys.dataset.shard(ref, 'test', 0), new TextEncoder().encode('something else'));
    const error = await caught(run(store, synthetic({ samples: small })));
    expect(error).toMatchObject({ name: 'InputError', field: 'version' });
    expect(await store.get(keys.dataset.manifest(ref))).toBeUndefined();
  });

  it('hold out no species that there is not', async () => {
    const store = await openStore('unknown');
    const error = await caught(run(store, synthetic({ heldOut: ['phone', 'hologram'] }), { pool: idle }));
    expect(error).toMatchObject({ name: 'InputError', field: 'heldOut[1]' });
    expect((error as Error).message).toContain('"hologram" is not one of');
  });
});

describe('a folder', () => {
  const png = async (level: number): Promise<Uint8Array> =>
    encodePng({ data: new Uint8Array(3 * 20 * 10).fill(level), width: 20, height: 10 });

  async function folder(name: string, manifest: object): Promise<DatasetSource> {
    const path = join(root, name);
    await mkdir(path, { recursive: true });
    await writeFile(join(path, 'a.png'), await png(10));
    await writeFile(join(path, 'b.png'), await png(20));
    await writeFile(join(path, 'broken.png'), (await png(30)).subarray(0, 40));
    await writeFile(
      join(path, 'dataset.json'),
      JSON.stringify({ schema: 'facet.folder/v1', ...ref, ...manifest }),
    );
    return { kind: 'folder', path };
  }

  const box = { x: 2, y: 1, width: 8, height: 8 };
  const samples = [
    { file: 'a.png', label: 'live', box },
    { file: 'b.png', label: 'spoof', spoofType: 'phone', split: 'dev' },
  ];

  it('becomes a dataset at its own sizes, the same one again', async () => {
    const store = await openStore('folder');
    const source = await folder('good', { samples });
    const manifest = await run(store, source);
    expect(manifest).toMatchObject({ size: 'native', maps: [] });
    const dataset = await Dataset.open(store, ref);
    const [[live], [spoof]] = [await dataset.at('test', [0]), await dataset.at('dev', [0])];
    expect(live).toMatchObject({ box, labels: { label: 'live' } });
    expect((await decodePng(live.png)).data[0]).toBe(10);
    expect(spoof.labels).toEqual({ label: 'spoof', spoofType: 'phone' });
    const before = await contents(store);
    expect(await run(store, source)).toEqual(manifest);
    expect(await contents(store)).toEqual(before);
  });

  it('becomes the same dataset out of an uploaded archive, which goes once it is there', async () => {
    const store = await openStore('archive');
    const source = await folder('packed', { samples });
    const tar = pack();
    const { path } = source as Extract<DatasetSource, { kind: 'folder' }>;
    for (const name of ['dataset.json', 'a.png', 'b.png'])
      tar.entry({ name: `./${name}` }, await readFile(join(path, name)));
    tar.finalize();
    const archive = DatasetSource.parse({ kind: 'archive', key: `incoming/${randomUUID()}` });
    await store.put((archive as { key: string }).key, tar as AsyncIterable<Uint8Array>);
    const { digest } = await run(store, archive);
    expect(digest).toBe((await run(await openStore('unpacked'), source)).digest);
    expect(Object.keys(await contents(store)).filter((key) => key.startsWith('incoming/'))).toEqual([]);
    expect((await run(store, archive)).digest).toBe(digest);
    const gone = DatasetSource.parse({ kind: 'archive', key: `incoming/${randomUUID()}` });
    expect(await caught(run(await openStore('nothing'), gone))).toMatchObject({
      name: 'InputError',
      problem: expect.stringContaining('upload it again'),
    });
  });

  it('never changes a version that is stored', async () => {
    const store = await openStore('folder-changed');
    await run(store, await folder('changed', { samples }));
    const before = await contents(store);
    const error = await caught(run(store, await folder('changed', { samples: [...samples].reverse() })));
    expect(error).toMatchObject({ name: 'InputError', field: 'version' });
    expect(await contents(store)).toEqual(before);
  });

  it.each<[string, object, object]>([
    ['another name', { samples, name: 'others' }, { name: 'InputError', field: 'name' }],
    ['a file that is missing', { samples: [{ file: 'c.png', label: 'live' }] }, { field: 'samples[0].file' }],
    [
      'a broken image',
      { samples: [samples[0], { file: 'broken.png', label: 'live' }] },
      { field: 'samples[1].file' },
    ],
    ['a label that there is not', { samples: [{ file: 'a.png', label: 'real' }] }, { file: 'dataset.json' }],
  ])('is refused with the place: %s', async (name, manifest, fields) => {
    const store = await openStore(`refused ${name}`);
    const error = await caught(run(store, await folder(name, manifest)));
    expect(error).toMatchObject(fields);
    if (!('name' in fields)) expect(error).toBeInstanceOf(DatasetError);
    expect(await store.get(keys.dataset.manifest(ref))).toBeUndefined();
  });
});

describe('the handler', () => {
  const event = (source: DatasetSource) =>
    ({ type: 'ingestion', id: '1', subject: '', data: { dataset: ref, source } }) as never;

  it('tells that the dataset is there, or why it never will be', async () => {
    const handler = ingestionHandler({ store: first, renderer: idle });
    const signal = new AbortController().signal;
    const context = { signal, log: NO_LOG, progress: NO_PROGRESS, attempt: 1 };
    const { digest } = (await Dataset.open(first, ref)).manifest;
    expect(await handler.handle(event(synthetic()), context)).toEqual([
      { type: 'dataset.ingested', subject: 'faces@1', data: { dataset: ref, digest } },
    ]);
    const given = handler.onGivenUp!(event(synthetic()), { reason: 'terminal', message: 'why', attempts: 1 });
    expect(given).toEqual([
      { type: 'dataset.failed', subject: 'faces@1', data: { dataset: ref, reason: 'why' } },
    ]);
  });
});
