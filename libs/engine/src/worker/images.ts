/** From stored photographs to the 8-bit images that a model sees, and back: decoding, cropping, encoding. */
import type { ModelManifest } from '@facet/contracts';
import { carryChange, cropFace, decodePng, packPng, type RawImage, toPlanes } from '@facet/datasets';
import type { Photo, Photos } from '../tasks.js';

/** 8-bit images [n, 3, height, width], RGB, at the model's input size. */
export interface Images {
  readonly n: number;
  readonly bytes: Uint8Array;
}

/** Errors: DatasetError for an image that cannot be decoded, or a prepared one of another size. */
export async function imagesOf({ photos, prepared }: Photos, manifest: ModelManifest): Promise<Images> {
  const { input, crop } = manifest;
  const size = 3 * input.height * input.width;
  const bytes = new Uint8Array(photos.length * size);
  await Promise.all(
    photos.map(async (photo, i) => {
      const { attacked, box } = photo;
      if (attacked !== undefined && sameView(attacked.view, manifest)) {
        toPlanes((await decodePng(attacked.png)).data, bytes.subarray(i * size, (i + 1) * size));
        return;
      }
      const image = await shown(photo);
      if (prepared && (image.width !== input.width || image.height !== input.height))
        throw new RangeError(
          `image ${i} is ${image.width}x${image.height}, the model wants ${input.width}x${input.height}`,
        );
      const cropped = prepared ? image.data : cropFace(image, box, crop, input);
      toPlanes(cropped, bytes.subarray(i * size, (i + 1) * size));
    }),
  );
  return { n: photos.length, bytes };
}

/** Two models that see the same area at the same size are shown the same image, to the byte. */
const sameView = (
  a: Pick<ModelManifest, 'crop' | 'input'>,
  b: Pick<ModelManifest, 'crop' | 'input'>,
): boolean =>
  a.input.height === b.input.height &&
  a.input.width === b.input.width &&
  JSON.stringify(a.crop) === JSON.stringify(b.crop);

/** The photograph, with the change in it that an attack on another model made. */
async function shown({ png, box, attacked }: Photo): Promise<RawImage> {
  const photo = await decodePng(png);
  if (attacked === undefined) return photo;
  return carryChange(photo, box, attacked.view, (await decodePng(attacked.png)).data);
}

/** Each image as PNG, one behind the other in the same memory, which can be moved to another thread as one. */
export function pngsOf({ n, bytes }: Images, { height, width }: ModelManifest['input']): Uint8Array[] {
  const size = bytes.length / n;
  const pngs = Array.from({ length: n }, (_, i) =>
    packPng(bytes.subarray(i * size, (i + 1) * size), width, height),
  );
  const joined = new Uint8Array(pngs.reduce((sum, png) => sum + png.length, 0));
  let end = 0;
  return pngs.map((png) => {
    joined.set(png, end);
    return joined.subarray(end, (end += png.length));
  });
}
