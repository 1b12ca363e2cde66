import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DatasetError } from '../errors.js';
import { IMAGE_LIMITS } from './image.js';
import { readFolder, storeSample, type FolderSample } from './read.js';

let base: string;
let dir: string;
beforeEach(async () => {
  base = await mkdtemp(path.join(tmpdir(), 'facet-folder-'));
  dir = path.join(base, 'faces');
  await mkdir(dir);
});
afterEach(() => rm(base, { recursive: true }));

/** Left half red, right half blue. */
function picture(width = 40, height = 20) {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) data[3 * i + (i % width < width / 2 ? 0 : 2)] = 255;
  return sharp(data, { raw: { width, height, channels: 3 } });
}

async function given(samples: unknown, more: object = {}): Promise<void> {
  const manifest = { schema: 'facet.folder/v1', name: 'faces', version: '1', samples, ...more };
  await writeFile(path.join(dir, 'dataset.json'), JSON.stringify(manifest));
}

async function read(limits = IMAGE_LIMITS): Promise<FolderSample[]> {
  const samples: FolderSample[] = [];
  for await (const sample of (await readFolder(dir, limits)).samples()) samples.push(sample);
  return samples;
}

describe('a folder of photographs', () => {
  test.each(['jpeg', 'png', 'webp'] as const)('%s is read as RGB bytes', async (format) => {
    await picture().toFormat(format, { quality: 100 }).toFile(path.join(dir, 'a.img'));
    await given([{ file: 'a.img', label: 'spoof', spoofType: 'pad', split: 'train' }]);
    const [sample] = await read();
    expect(sample).toMatchObject({
      key: 's000000',
      split: 'train',
      file: 'a.img',
      labels: { label: 'spoof', spoofType: 'pad' },
      image: { width: 40, height: 20 },
    });
    expect(sample.image.data.length).toBe(40 * 20 * 3);
    expect(sample.image.data[0]).toBeGreaterThan(240);
    expect(sample.image.data[2]).toBeLessThan(15);
  });

  test('turns an image as its orientation tag says', async () => {
    // Tag 6: to be turned by 90 degrees clockwise; the red left half comes to stand on top.
    await picture().jpeg({ quality: 100 }).withMetadata({ orientation: 6 }).toFile(path.join(dir, 'a.jpg'));
    await given([{ file: 'a.jpg', label: 'live', box: { x: 1, y: 2, width: 10, height: 30 } }]);
    const [sample] = await read();
    const { width, height, data } = sample.image;
    expect([width, height]).toEqual([20, 40]);
    expect(data[0]).toBeGreaterThan(240);
    expect(data[(39 * 20 + 10) * 3 + 2]).toBeGreaterThan(240);
    expect((await storeSample(sample)).box).toEqual({ x: 1, y: 2, width: 10, height: 30 });
  });

  test('brings grey, 16-bit and transparent images to three bytes per pixel', async () => {
    await picture().toColourspace('b-w').png().toFile(path.join(dir, 'grey.png'));
    await picture().toColourspace('rgb16').png().toFile(path.join(dir, 'deep.png'));
    await picture().ensureAlpha(0.5).png().toFile(path.join(dir, 'clear.png'));
    await given(['grey.png', 'deep.png', 'clear.png'].map((file) => ({ file, label: 'live' })));
    const images = (await read()).map((sample) => sample.image);
    for (const image of images) expect(image.data.length).toBe(40 * 20 * 3);
    expect(images[0].data[0]).toBe(images[0].data[1]);
    expect([...images[1].data.subarray(0, 3)]).toEqual([255, 0, 0]);
    expect([...images[2].data.subarray(0, 3)]).toEqual([255, 0, 0]);
  });
});

describe('a folder with a mistake', () => {
  const good = { file: 'a.png', label: 'live' };
  beforeEach(() => picture().png().toFile(path.join(dir, 'a.png')));

  test.each<[string, unknown, string]>([
    ['a missing image', [good, { file: 'b.png', label: 'live' }], 'samples[1].file: "b.png" does not exist'],
    ['a way up', [{ file: '../a.png', label: 'live' }], 'samples[0].file: "../a.png" leads out'],
    ['a hidden way up', [{ file: 'x/..\\..\\a.png', label: 'live' }], 'leads out of the folder'],
    [
      'an absolute path',
      [{ file: '/etc/passwd', label: 'live' }],
      'samples[0].file: "/etc/passwd" leads out',
    ],
    ['a drive', [{ file: 'C:\\a.png', label: 'live' }], 'leads out of the folder'],
    ['the folder itself', [{ file: '.', label: 'live' }], 'samples[0].file: '],
    ['an unknown label', [good, { file: 'a.png', label: 'fake' }], 'samples[1].label: '],
    [
      'an unknown spoof type',
      [{ file: 'a.png', label: 'spoof', spoofType: 'wax' }],
      'samples[0].spoofType: ',
    ],
    [
      'labels that contradict',
      [{ file: 'a.png', label: 'live', spoofType: 'pad' }],
      'samples[0].spoofType: contradicts',
    ],
    ['no samples', [], 'samples: has no samples'],
    [
      'a box elsewhere',
      [{ ...good, box: { x: 500, y: 0, width: 9, height: 9 } }],
      'samples[0].box: x 500, y 0',
    ],
    ['a box too large', [{ ...good, box: { x: 0, y: 0, width: 90, height: 90 } }], 'lies outside the image'],
    ['an empty box', [{ ...good, box: { x: 0, y: 0, width: 0, height: 9 } }], 'samples[0].box.width: '],
  ])('%s is refused by file and field', async (_, samples, message) => {
    await given(samples);
    await expect(read()).rejects.toThrow(DatasetError);
    await expect(read()).rejects.toThrow(message);
    await expect(read()).rejects.toMatchObject({ file: 'dataset.json', field: expect.any(String) });
  });

  test('a link that leads out is refused, one inside is not', async () => {
    await picture().png().toFile(path.join(base, 'secret.png'));
    await symlink(path.join(base, 'secret.png'), path.join(dir, 'out.png'));
    await symlink(path.join(dir, 'a.png'), path.join(dir, 'in.png'));
    await given([{ file: 'in.png', label: 'live' }]);
    expect(await read()).toHaveLength(1);
    await given([{ file: 'out.png', label: 'live' }]);
    await expect(read()).rejects.toThrow('samples[0].file: "out.png" is a link that leads out');
  });

  test('no image, a forbidden format and a damaged one are refused', async () => {
    await writeFile(path.join(dir, 'text.png'), 'hello');
    await writeFile(
      path.join(dir, 'a.svg'),
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
    );
    const jpeg = await picture(200, 200).jpeg().toBuffer();
    await writeFile(path.join(dir, 'half.jpg'), jpeg.subarray(0, jpeg.length / 2));
    for (const [file, message] of [
      ['text.png', 'cannot be read as an image'],
      ['a.svg', 'is svg; images are JPEG, PNG or WebP'],
      ['half.jpg', 'cannot be read as an image'],
    ]) {
      await given([{ file, label: 'live' }]);
      await expect(read()).rejects.toThrow(`dataset.json: samples[0].file: "${file}" ${message}`);
    }
  });

  test('limits hold before anything is decoded', async () => {
    await given([good]);
    await expect(read({ ...IMAGE_LIMITS, bytes: 10 })).rejects.toThrow('more than 10');
    await expect(read({ ...IMAGE_LIMITS, pixels: 799 })).rejects.toThrow('"a.png" ');
    expect(await read({ ...IMAGE_LIMITS, pixels: 800 })).toHaveLength(1);
  });

  test('a missing or broken manifest is named', async () => {
    await expect(read()).rejects.toThrow('dataset.json: cannot be read');
    await writeFile(path.join(dir, 'dataset.json'), '{"schema":');
    await expect(read()).rejects.toThrow('dataset.json: is no JSON');
    await expect(readFolder(path.join(base, 'none'))).rejects.toThrow('does not exist');
  });
});
