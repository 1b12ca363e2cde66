/** Between bytes, as images are stored, and the pixel space [0,1] in which attacks are measured. */

/** height * width * 3 bytes to 3 x height x width floats in [0,1]: red, green, blue planes. */
export function toTensor(rgb: Uint8Array, height: number, width: number): Float32Array {
  const plane = planeOf(rgb, height, width);
  const tensor = new Float32Array(rgb.length);
  for (let c = 0; c < 3; c++) for (let i = 0; i < plane; i++) tensor[c * plane + i] = rgb[3 * i + c] / 255;
  return tensor;
}

/** The inverse: rounded to the nearest byte, clipped to [0,1]. Exact after {@link toTensor}. */
export function toBytes(tensor: Float32Array, height: number, width: number): Uint8Array {
  const plane = planeOf(tensor, height, width);
  const rgb = new Uint8Array(tensor.length);
  for (let c = 0; c < 3; c++)
    for (let i = 0; i < plane; i++)
      rgb[3 * i + c] = Math.floor(Math.max(0, Math.min(1, tensor[c * plane + i])) * 255 + 0.5);
  return rgb;
}

/** Interleaved red, green, blue bytes to three planes of them, the order of a tensor. */
export function toPlanes(rgb: Uint8Array, out = new Uint8Array(rgb.length)): Uint8Array {
  const plane = rgb.length / 3;
  for (let i = 0; i < plane; i++) for (let c = 0; c < 3; c++) out[c * plane + i] = rgb[3 * i + c];
  return out;
}

function planeOf(values: { length: number }, height: number, width: number): number {
  if (values.length !== 3 * height * width)
    throw new RangeError(`${values.length} values are no ${height} x ${width} image of three channels`);
  return height * width;
}
