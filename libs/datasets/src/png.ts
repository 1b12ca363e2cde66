/** PNG in and out: lossless, eight bits, three channels or one, the same bytes for the same pixels. */
import sharp, { type Sharp } from 'sharp';
import { DatasetError } from './errors.js';

/** Pixels as they are computed on: rows from the top, channels interleaved, one byte each. */
export interface RawImage {
  /** height * width * 3 (red, green, blue), or height * width where `channels` is 1. */
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** What a decoder may be asked to unpack; a larger image is an accident or an attack on memory. */
export const MAX_IMAGE_PIXELS = 50_000_000;

/** Fixed, since every choice changes the bytes and with them the shard's digest. */
const PNG = { compressionLevel: 6, adaptiveFiltering: true, palette: false } as const;

export async function encodePng(image: RawImage, channels: 1 | 3 = 3): Promise<Uint8Array> {
  const { data, width, height } = image;
  if (data.length !== width * height * channels)
    throw new RangeError(`${data.length} bytes are no ${width} x ${height} image of ${channels} channels`);
  const encoded = sharp(data, { raw: { width, height, channels } });
  return (channels === 1 ? encoded.toColourspace('b-w') : encoded).png(PNG).toBuffer();
}

/**
 * The pixels of a PNG that {@link encodePng} or another program wrote. `name` stands in errors.
 * @throws DatasetError where it is no PNG, is damaged, or has more than {@link MAX_IMAGE_PIXELS}.
 */
export async function decodePng(png: Uint8Array, channels: 1 | 3 = 3, name = 'image'): Promise<RawImage> {
  try {
    const image = sharp(png, { limitInputPixels: MAX_IMAGE_PIXELS, failOn: 'error' });
    const { format } = await image.metadata();
    if (format !== 'png') throw new Error(`is ${format}, not PNG`);
    return await rawOf(image, channels);
  } catch (cause) {
    throw new DatasetError(`cannot be read as a PNG image: ${reasonOf(cause)}`, name, undefined, { cause });
  }
}

/** Decodes to eight bits and exactly that many channels; transparency goes, colours become sRGB. */
export async function rawOf(image: Sharp, channels: 1 | 3): Promise<RawImage> {
  const { data, info } = await image
    .removeAlpha()
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== channels) throw new Error(`has ${info.channels} channels instead of ${channels}`);
  return {
    data: new Uint8Array(data.buffer, data.byteOffset, data.length),
    width: info.width,
    height: info.height,
  };
}

/** The first line of what a decoder says. */
export const reasonOf = (cause: unknown): string =>
  (cause instanceof Error ? cause.message : String(cause)).split('\n')[0];
