/** Raw numbers in files: little-endian, row-major, without a header. */
import { readFile } from 'node:fs/promises';

async function buffer(path: string): Promise<ArrayBuffer> {
  const bytes = await readFile(path);
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
}

export const float32 = async (path: string): Promise<Float32Array> => new Float32Array(await buffer(path));
export const float64 = async (path: string): Promise<Float64Array> => new Float64Array(await buffer(path));
