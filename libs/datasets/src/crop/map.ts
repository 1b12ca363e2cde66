/** Geometric maps at the size that a network predicts them. */
import type { RawImage } from '../png.js';
import { axisWeights } from './axis.js';
import type { Size } from './face.js';

/**
 * A one-channel map as height * width values in [0,1], white is 1: each value the mean over the area that it covers.
 */
export function resizeMap({ data, width, height }: RawImage, size: Size): Float32Array {
  const columns = axisWeights({ start: 0, length: width }, width, size.width, 'zero', 'area');
  const rows = axisWeights({ start: 0, length: height }, height, size.height, 'zero', 'area');
  const out = new Float32Array(size.height * size.width);
  for (let y = 0; y < size.height; y++) {
    for (let x = 0; x < size.width; x++) {
      let sum = 0;
      for (let i = rows.first[y]; i < rows.first[y + 1]; i++)
        for (let j = columns.first[x]; j < columns.first[x + 1]; j++)
          sum += rows.weight[i] * columns.weight[j] * data[rows.index[i] * width + columns.index[j]];
      out[y * size.width + x] = sum / 255;
    }
  }
  return out;
}
