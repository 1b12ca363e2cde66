import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pack } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { ARCHIVE_LIMITS, withUnpacked } from './archive.js';

type Entry = readonly [
  header: { name: string; type?: 'file' | 'symlink' | 'link' | 'directory'; linkname?: string },
  text?: string,
];

async function tarOf(...entries: Entry[]): Promise<Uint8Array> {
  const tar = pack();
  for (const [header, text] of entries) tar.entry(header, text ?? '');
  tar.finalize();
  const parts: Uint8Array[] = [];
  for await (const part of tar) parts.push(part as Uint8Array);
  return Buffer.concat(parts);
}

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 700) yield bytes.subarray(at, at + 700);
}

const signal = new AbortController().signal;
const unpack = <T>(bytes: Uint8Array, work: (folder: string) => Promise<T>, limits = ARCHIVE_LIMITS) =>
  withUnpacked(inPieces(bytes), work, { signal, limits });
const left = async () => (await readdir(tmpdir())).filter((name) => name.startsWith('facet-archive-')).length;

it('gives the files as they were packed, in a folder that is gone afterwards', async () => {
  const bytes = await tarOf(
    [{ name: './a/', type: 'directory' }],
    [{ name: './a/b c.txt' }, 'x'],
    [{ name: 'd' }, 'y'],
  );
  const before = await left();
  const seen = await unpack(bytes, async (folder) => [
    await readFile(join(folder, 'a', 'b c.txt'), 'utf8'),
    await readFile(join(folder, 'd'), 'utf8'),
    folder,
  ]);
  expect(seen.slice(0, 2)).toEqual(['x', 'y']);
  await expect(readdir(seen[2])).rejects.toThrow(/ENOENT/);
  expect(await left()).toBe(before);
});

describe('refuses by name, and leaves nothing', () => {
  it.each<[string, Entry[], RegExp]>([
    ['a way out', [[{ name: '../evil' }, 'x']], /evil.*plain relative/],
    ['a way out in the middle', [[{ name: 'a/../../evil' }, 'x']], /plain relative/],
    ['an absolute path', [[{ name: '/etc/evil' }, 'x']], /plain relative/],
    ['a backslash', [[{ name: 'a\\evil' }, 'x']], /plain relative/],
    ['a link', [[{ name: 'evil', type: 'symlink', linkname: '/etc/passwd' }]], /is a symlink/],
    ['a hard link', [[{ name: 'evil', type: 'link', linkname: '/etc/passwd' }]], /is a link/],
    [
      'one name twice',
      [
        [{ name: 'a' }, 'x'],
        [{ name: 'a' }, 'y'],
      ],
      /EEXIST/,
    ],
  ])('%s', async (_, entries, message) => {
    const before = await left();
    await expect(unpack(await tarOf(...entries), () => Promise.resolve())).rejects.toThrow(message);
    expect(await left()).toBe(before);
  });

  it.each([
    ['a large entry', { ...ARCHIVE_LIMITS, entryBytes: 3 }, /has 4 bytes/],
    ['a large whole', { ...ARCHIVE_LIMITS, bytes: 7 }, /more than the 7 bytes/],
    ['many entries', { ...ARCHIVE_LIMITS, entries: 1 }, /one entry more/],
  ])('%s', async (_, limits, message) => {
    const bytes = await tarOf([{ name: 'a' }, 'four'], [{ name: 'b' }, 'four']);
    await expect(unpack(bytes, () => Promise.resolve(), limits)).rejects.toThrow(message);
  });

  it('a size that is none', async () => {
    const bytes = Buffer.from(await tarOf([{ name: 'a' }, 'x']));
    bytes[124] = 0xfc;
    bytes.fill(' ', 148, 156);
    const sum = bytes.subarray(0, 512).reduce((total, byte) => total + byte, 0);
    bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    await expect(unpack(bytes, () => Promise.resolve())).rejects.toThrow(/a: has a size/);
  });

  it('what is cut short, and what is no tar', async () => {
    const bytes = await tarOf([{ name: 'a' }, 'x'.repeat(2000)]);
    await expect(unpack(bytes.subarray(0, 1500), () => Promise.resolve())).rejects.toThrow(/archive/);
    await expect(unpack(new Uint8Array(2048).fill(65), () => Promise.resolve())).rejects.toThrow(/archive/);
  });
});
