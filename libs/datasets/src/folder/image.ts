/** One photograph from outside: found inside its folder, within limits, decoded upright to RGB. */
import { readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { DatasetError } from '../errors.js';
import { MAX_IMAGE_PIXELS, rawOf, reasonOf, type RawImage } from '../png.js';

export interface ImageLimits {
  /** Of the file, before it is read. */
  readonly bytes: number;
  /** Width times height by the image's header, before it is decoded. */
  readonly pixels: number;
}

export const IMAGE_LIMITS: ImageLimits = { bytes: 64 * 2 ** 20, pixels: MAX_IMAGE_PIXELS };

const FORMATS = ['jpeg', 'png', 'webp'];

/**
 * The path of `file` below `root`, which must be a real path. @throws DatasetError where it leads elsewhere,
 * by its name or through a link, or to no file.
 */
export async function locate(root: string, file: string, where: ErrorPlace): Promise<string> {
  const fail = (problem: string, cause?: unknown) =>
    new DatasetError(problem, where.file, where.field, { cause });
  // Backslashes are separators on some systems, and never needed.
  if (path.isAbsolute(file) || path.win32.isAbsolute(file) || file.split(/[\\/]/).includes('..'))
    throw fail(`"${file}" leads out of the folder`);
  if (file.includes('\0')) throw fail('holds a zero character');
  let found: string;
  try {
    found = await realpath(path.join(root, file));
  } catch (cause) {
    throw fail(`"${file}" does not exist`, cause);
  }
  if (!found.startsWith(root.endsWith(path.sep) ? root : root + path.sep))
    throw fail(`"${file}" is a link that leads out of the folder`);
  return found;
}

/** What an error is to name. */
export interface ErrorPlace {
  readonly file: string;
  readonly field: string;
}

/** Upright (the orientation tag applied), three channels, eight bits, sRGB; transparency is dropped. */
export async function readImage(
  found: string,
  file: string,
  where: ErrorPlace,
  limits: ImageLimits,
): Promise<RawImage> {
  const fail = (problem: string, cause?: unknown) =>
    new DatasetError(`"${file}" ${problem}`, where.file, where.field, { cause });
  const { size, isFile } = await stat(found).then((s) => ({ size: s.size, isFile: s.isFile() }));
  if (!isFile) throw fail('is no file');
  if (size > limits.bytes) throw fail(`has ${size} bytes, more than ${limits.bytes}`);
  const bytes = await readFile(found);
  try {
    const image = sharp(bytes, { limitInputPixels: limits.pixels, failOn: 'error' });
    const { format, width, height } = await image.metadata();
    if (!FORMATS.includes(format)) throw fail(`is ${format}; images are JPEG, PNG or WebP`);
    if (width * height > limits.pixels)
      throw fail(`has ${width} x ${height} pixels, more than ${limits.pixels}`);
    return await rawOf(image.autoOrient(), 3);
  } catch (cause) {
    if (cause instanceof DatasetError) throw cause;
    throw fail(`cannot be read as an image: ${reasonOf(cause)}`, cause);
  }
}
