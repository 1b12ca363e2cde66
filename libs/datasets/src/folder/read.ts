/**
 * A folder of photographs that a person labelled: `dataset.json` and the images that it names. Everything in it
 * is checked before it is believed, and each error names the file and the field to mend.
 */
import { readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { FolderManifest, type Box, type SampleLabels, type Split } from '@facet/contracts';
import { DatasetError } from '../errors.js';
import { invalid } from '../issues.js';
import { encodePng, reasonOf, type RawImage } from '../png.js';
import type { StoredSample } from '../shards/sample.js';
import { IMAGE_LIMITS, locate, readImage, type ImageLimits } from './image.js';

export interface FolderSample {
  /** Unique in the folder: the sample's place in the manifest. */
  readonly key: string;
  readonly split: Split;
  /** As `dataset.json` names it. */
  readonly file: string;
  readonly image: RawImage;
  readonly labels: SampleLabels;
  readonly box?: Box;
}

export interface Folder {
  readonly manifest: FolderManifest;
  /** Decodes one image at a time, in the manifest's order. @throws DatasetError at the first bad sample. */
  samples(): AsyncGenerator<FolderSample>;
}

const MANIFEST = 'dataset.json';
/** Some 500,000 samples. */
const MAX_MANIFEST_BYTES = 256 * 2 ** 20;

/**
 * Reads and checks the manifest; images are read by `samples()`.
 * @throws DatasetError where the folder or its manifest is missing, too large, or wrong.
 */
export async function readFolder(dir: string, limits: ImageLimits = IMAGE_LIMITS): Promise<Folder> {
  let root: string;
  try {
    root = await realpath(dir);
  } catch (cause) {
    throw new DatasetError('does not exist', dir, undefined, { cause });
  }
  const manifest = await readManifest(root);
  return {
    manifest,
    async *samples() {
      for (const [i, { file, box, split, ...labels }] of manifest.samples.entries()) {
        const place = (field: string) => ({ file: MANIFEST, field: `samples[${i}].${field}` });
        const image = await readImage(await locate(root, file, place('file')), file, place('file'), limits);
        if (box) checkBox(box, image, place('box'));
        yield { key: `s${String(i).padStart(6, '0')}`, split, file, image, labels, ...(box && { box }) };
      }
    },
  };
}

async function readManifest(root: string): Promise<FolderManifest> {
  const file = path.join(root, MANIFEST);
  let value: unknown;
  try {
    const { size } = await stat(file);
    if (size > MAX_MANIFEST_BYTES)
      throw new DatasetError(`has ${size} bytes, more than ${MAX_MANIFEST_BYTES}`, MANIFEST);
    value = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    if (cause instanceof DatasetError) throw cause;
    if (cause instanceof SyntaxError)
      throw new DatasetError(`is no JSON: ${reasonOf(cause)}`, MANIFEST, undefined, { cause });
    throw new DatasetError(`cannot be read: ${reasonOf(cause)}`, MANIFEST, undefined, { cause });
  }
  const parsed = FolderManifest.safeParse(value);
  if (!parsed.success) throw invalid(parsed.error, MANIFEST);
  return parsed.data;
}

/** A face may reach over the edge; a box that lies mostly elsewhere was measured on another image. */
function checkBox(box: Box, image: RawImage, where: { file: string; field: string }): void {
  const width = Math.min(image.width, box.x + box.width) - Math.max(0, box.x);
  const height = Math.min(image.height, box.y + box.height) - Math.max(0, box.y);
  if (width > 0 && height > 0 && width * height >= 0.5 * box.width * box.height) return;
  const { x, y } = box;
  throw new DatasetError(
    `x ${x}, y ${y}, ${box.width} x ${box.height} lies outside the image, which is ${image.width} x ${image.height} once upright`,
    where.file,
    where.field,
  );
}

/** A photograph as a shard holds it: at its own size, with its box. */
export async function storeSample(sample: FolderSample): Promise<StoredSample> {
  const { key, image, labels, box } = sample;
  return { key, png: await encodePng(image), labels, ...(box && { box }) };
}
