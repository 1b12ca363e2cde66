/** The published models decide as their README says, given faces cut by us: a wrong crop or colour order shows. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Box, ModelCrop } from '@facet/contracts';
import * as ort from 'onnxruntime-node';
import { beforeAll, describe, expect, test } from 'vitest';
import { IMAGE_LIMITS, readImage } from '../folder/image.js';
import type { RawImage } from '../png.js';
import { cropFace } from './face.js';
import { toTensor } from './tensor.js';

const folder = path.join(process.env.FACET_CASES ?? '', 'published');
const here = process.env.FACET_CASES !== undefined && existsSync(folder);

const SIDE = { height: 128, width: 128 };
const BOXES: Record<string, Box> = {
  'print.jpg': { x: 150, y: 110, width: 150, height: 190 },
  'replay.jpg': { x: 130, y: 150, width: 240, height: 290 },
  'live.jpg': { x: 140, y: 80, width: 190, height: 235 },
};
/** `within`: how far another implementation of the decoder and the resize may move a logit; most where it aliases. */
const CASES: { model: string; crop: ModelCrop; within: number; live: Record<string, number> }[] = [
  {
    model: 'AntiSpoofing_bin_1.5_128.onnx',
    crop: { scale: 1.5, square: true, outside: 'zero', interpolation: 'bilinear' },
    within: 0.8,
    live: { 'print.jpg': -1.88, 'replay.jpg': -0.73, 'live.jpg': 1.97 },
  },
  {
    model: 'minifas.onnx',
    crop: { scale: 1.5, square: true, outside: 'reflect', interpolation: 'area' },
    within: 0.6,
    live: { 'print.jpg': -3.5, 'replay.jpg': -5.09, 'live.jpg': 2.65 },
  },
];

describe.skipIf(!here)('published models (needs FACET_CASES)', () => {
  const images = new Map<string, RawImage>();
  beforeAll(async () => {
    for (const file of Object.keys(BOXES))
      images.set(file, await readImage(path.join(folder, file), file, { file, field: 'file' }, IMAGE_LIMITS));
  });

  test('turns the photographs upright', () => {
    for (const { width, height } of images.values()) expect([width, height]).toEqual([480, 640]);
  });

  test.each(CASES)('$model gives the logits of its README', async ({ model, crop, within, live }) => {
    const session = await ort.InferenceSession.create(await readFile(path.join(folder, model)), {
      intraOpNumThreads: 1,
    });
    for (const [file, expected] of Object.entries(live)) {
      const rgb = cropFace(images.get(file)!, BOXES[file], crop, SIDE);
      const input = new ort.Tensor('float32', toTensor(rgb, 128, 128), [1, 3, 128, 128]);
      const { output } = await session.run({ input });
      const [logit] = output.data as Float32Array;
      expect(Math.sign(logit), `${file}: ${logit}`).toBe(Math.sign(expected));
      expect(Math.abs(logit - expected), `${file}: ${logit}, not ${expected}`).toBeLessThan(within);
    }
    await session.release();
  });
});
