/**
 * Carries what an attack changed in one model's crop back into the photograph, so that another model can be shown the same
 * attacked face through its own crop and scale. The change is resized to the area that the crop was taken from (bilinear
 * when enlarging, area means when shrinking) and added there, clipped to [0, 255]; the photograph's own detail stays.
 */
import type { Box, ModelCrop } from '@facet/contracts';
import type { RawImage } from '../png.js';
import { axisWeights, type Run } from './axis.js';
import { cropFace, cropRuns, type Size } from './face.js';

/** Which area of a photograph a model sees, and at which size. */
export interface View {
  readonly crop?: ModelCrop | undefined;
  readonly input: Size;
}

/** `adversarial`: height * width * 3 bytes at the size of `view`. Errors: RangeError where it is of another size. */
export function carryChange(
  photo: RawImage,
  box: Box | undefined,
  view: View,
  adversarial: Uint8Array,
): RawImage {
  const { input } = view;
  const clean = cropFace(photo, box, view.crop, input);
  if (clean.length !== adversarial.length)
    throw new RangeError(
      `the attacked crop has ${adversarial.length} values, its model sees ${clean.length}`,
    );
  const { across, down } = cropRuns(photo, box, view.crop);
  const columns = weightsTo(input.width, across);
  const rows = weightsTo(input.height, down);
  const data = Uint8Array.from(photo.data);
  const line = new Float64Array(3 * input.width);
  for (let y = 0; y < down.length; y++) {
    const to = down.start + y;
    if (to < 0 || to >= photo.height) continue;
    line.fill(0);
    for (let j = rows.first[y]; j < rows.first[y + 1]; j++)
      for (let i = 0; i < line.length; i++) {
        const at = rows.index[j] * line.length + i;
        line[i] += rows.weight[j] * (adversarial[at] - clean[at]);
      }
    for (let x = 0; x < across.length; x++) {
      const column = across.start + x;
      if (column < 0 || column >= photo.width) continue;
      for (let c = 0; c < 3; c++) {
        let change = 0;
        for (let j = columns.first[x]; j < columns.first[x + 1]; j++)
          change += columns.weight[j] * line[3 * columns.index[j] + c];
        const at = 3 * (to * photo.width + column) + c;
        data[at] = Math.max(0, Math.min(255, Math.round(photo.data[at] + change)));
      }
    }
  }
  return { data, width: photo.width, height: photo.height };
}

const weightsTo = (from: number, { length }: Run) =>
  axisWeights({ start: 0, length: from }, from, length, 'zero', length < from ? 'area' : 'bilinear');
