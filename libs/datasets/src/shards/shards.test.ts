import { ATTRIBUTES, type SampleLabels } from '@facet/contracts';
import fc from 'fast-check';
import { pack, type Header } from 'tar-stream';
import { describe, expect, test } from 'vitest';
import { DatasetError } from '../errors.js';
import { decodePng, encodePng } from '../png.js';
import { readShard, SHARD_LIMITS } from './read.js';
import type { StoredSample } from './sample.js';
import { writeShard } from './write.js';

async function all(bytes: Uint8Array, limits = SHARD_LIMITS): Promise<StoredSample[]> {
  const samples: StoredSample[] = [];
  for await (const sample of readShard(bytes, { limits })) samples.push(sample);
  return samples;
}

async function tarOf(...entries: [Partial<Header> & { name: string }, string][]): Promise<Uint8Array> {
  const tar = pack();
  for (const [header, text] of entries) tar.entry(header, text);
  tar.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of tar) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

/** The first header says a size as no writer does: base 256 with a sign that is none. */
function withoutSize(tar: Uint8Array): Uint8Array {
  const bytes = Buffer.from(tar);
  bytes[124] = 0xfc;
  bytes.fill(' ', 148, 156);
  const sum = bytes.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return bytes;
}

const LIVE = '{"label":"live"}';
const labels = fc.constantFrom<SampleLabels>(
  { label: 'live' },
  { label: 'spoof', spoofType: 'pad', illumination: 'dark', subject: 'Ünal' },
  { label: 'live', attributes: ATTRIBUTES.map((_, i) => (i % 3 === 0 ? 1 : 0)) },
);
const bytes = fc.uint8Array({ maxLength: 1500 });
const samples = fc.uniqueArray(
  fc
    .record(
      {
        key: fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,99}$/),
        png: bytes,
        labels,
        box: fc.constant({ x: -1.5, y: 0, width: 20, height: 30.25 }),
        depth: bytes,
        reflection: bytes,
      },
      { requiredKeys: ['key', 'png', 'labels'] },
    )
    .map((sample): StoredSample => sample),
  { selector: (sample) => sample.key, maxLength: 6 },
);

describe('a shard', () => {
  test('gives back what was written, sorted, in the same bytes whatever the order', async () => {
    await fc.assert(
      fc.asyncProperty(samples, async (given) => {
        const shard = await writeShard(given);
        expect(await writeShard([...given].reverse())).toEqual(shard);
        const sorted = [...given].sort((a, b) => (a.key < b.key ? -1 : 1));
        expect(await all(shard)).toEqual(sorted);
      }),
      { numRuns: 40 },
    );
  });

  test('refuses a key that is unsafe or occurs twice', async () => {
    const sample = { key: '../x', png: new Uint8Array(3), labels: { label: 'live' } } as const;
    await expect(writeShard([sample])).rejects.toThrow('../x: is no key');
    await expect(
      writeShard([
        { ...sample, key: 'a' },
        { ...sample, key: 'a' },
      ]),
    ).rejects.toThrow('a: occurs twice');
  });
});

describe('a hostile shard', () => {
  test.each<[string, () => Promise<Uint8Array> | Uint8Array, string]>([
    ['no tar', () => Buffer.from('hello'), 'cut short'],
    ['nothing', () => new Uint8Array(0), 'cut short'],
    ['noise', () => Buffer.concat([Buffer.alloc(512, 65), Buffer.alloc(1024)]), 'cannot be read as a tar'],
    [
      'a link',
      () => tarOf([{ name: 'a.png', type: 'symlink', linkname: '/etc/passwd' }, '']),
      'a.png: is a symlink',
    ],
    [
      'a size that is none',
      async () => withoutSize(await tarOf([{ name: 'a.png' }, 'x'])),
      'a.png: has a size',
    ],
    ['a path', () => tarOf([{ name: '../a.png' }, 'x']), '../a.png: is not <key>.png'],
    ['an unknown part', () => tarOf([{ name: 'a.exe' }, 'x']), 'a.exe: is not <key>.png'],
    ['no labels', () => tarOf([{ name: 'a.png' }, 'x']), 'a.json: is missing'],
    ['no image', () => tarOf([{ name: 'a.json' }, LIVE]), 'a.png: is missing'],
    ['broken labels', () => tarOf([{ name: 'a.json' }, '{'], [{ name: 'a.png' }, 'x']), 'a.json: is no JSON'],
    [
      'wrong labels',
      () => tarOf([{ name: 'a.json' }, '{"label":"maybe"}'], [{ name: 'a.png' }, 'x']),
      'a.json: label',
    ],
    [
      'an entry twice',
      () => tarOf([{ name: 'a.png' }, 'x'], [{ name: 'a.png' }, 'x']),
      'a.png: occurs twice',
    ],
    [
      'a split sample',
      () =>
        tarOf(
          [{ name: 'a.png' }, 'x'],
          [{ name: 'a.json' }, LIVE],
          [{ name: 'b.png' }, 'x'],
          [{ name: 'b.json' }, LIVE],
          [{ name: 'a.depth.png' }, 'x'],
        ),
      'a.depth.png: stands apart',
    ],
  ])('%s is refused by name', async (_, make, message) => {
    const shard = await make();
    await expect(all(shard)).rejects.toThrow(DatasetError);
    await expect(all(shard)).rejects.toThrow(message);
  });

  test('is refused past each limit', async () => {
    const sample = (key: string): StoredSample => ({
      key,
      png: new Uint8Array(600),
      labels: { label: 'live' },
    });
    const shard = await writeShard([sample('a'), sample('b')]);
    await expect(all(shard, { ...SHARD_LIMITS, shardBytes: 1000 })).rejects.toThrow('more than 1000');
    await expect(all(shard, { ...SHARD_LIMITS, entryBytes: 599 })).rejects.toThrow('a.png: has 600 bytes');
    await expect(all(shard, { ...SHARD_LIMITS, samples: 1 })).rejects.toThrow('b.json: is one sample more');
  });

  test('cut anywhere never passes for a whole one', async () => {
    const shard = await writeShard([
      { key: 'a', png: new Uint8Array(700).fill(9), labels: { label: 'live' } },
    ]);
    await fc.assert(
      fc.asyncProperty(fc.nat(shard.length - 1025), async (length) => {
        await expect(all(shard.subarray(0, length))).rejects.toThrow(DatasetError);
      }),
    );
  });
});

describe('PNG', () => {
  test('keeps every byte, of one channel or three', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom<1 | 3>(1, 3),
        fc.uint8Array({ minLength: 5 * 4 * 3, maxLength: 5 * 4 * 3 }),
        async (channels, values) => {
          const image = { data: values.slice(0, 20 * channels), width: 5, height: 4 };
          const png = await encodePng(image, channels);
          expect(await decodePng(png, channels)).toEqual(image);
          expect(await encodePng(image, channels)).toEqual(png);
        },
      ),
      { numRuns: 20 },
    );
  });

  test('names what cannot be read', async () => {
    await expect(decodePng(Buffer.from('nonsense'), 3, 'a.png')).rejects.toThrow(
      'a.png: cannot be read as a PNG',
    );
    await expect(encodePng({ data: new Uint8Array(4), width: 2, height: 2 })).rejects.toThrow(RangeError);
  });
});
