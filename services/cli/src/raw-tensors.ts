/** Tensors as plain files: float32, little-endian, row-major, nothing else; what every framework reads and writes. */
import { randomBytes } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import { endianness } from 'node:os';
import { InputError } from '@facet/runtime';
import { readRawFile } from './inputs.js';

const BYTES = Float32Array.BYTES_PER_ELEMENT;

/** In the byte order of the machine if it came in little-endian order, and the other way round. */
function reordered(bytes: Buffer): Buffer {
  return endianness() === 'LE' ? bytes : bytes.swap32();
}

/** Errors: InputError where the file does not hold exactly these sizes, or a value that is not finite. */
export async function readTensor(file: string, shape: readonly number[]): Promise<Float32Array> {
  const elements = shape.reduce((product, size) => product * size, 1);
  const bytes = await readRawFile(file);
  if (bytes.length !== elements * BYTES)
    throw new InputError(
      `has ${bytes.length} bytes; ${shape.join('x')} float32 values are ${elements * BYTES}`,
      { file },
    );
  const values = new Float32Array(elements);
  reordered(Buffer.from(bytes)).copy(new Uint8Array(values.buffer));
  const odd = values.findIndex((value) => !Number.isFinite(value));
  if (odd >= 0) throw new InputError(`value ${odd} is ${values[odd]}, not a finite number`, { file });
  return values;
}

/** Writes beside the file and renames: nobody sees half of it. Errors: InputError naming the file. */
export async function writeTensor(file: string, values: Float32Array): Promise<void> {
  const incoming = `${file}.${randomBytes(6).toString('hex')}.part`;
  const bytes = Buffer.from(Float32Array.from(values).buffer);
  try {
    await writeFile(incoming, reordered(bytes), { flag: 'wx' });
    await rename(incoming, file);
  } catch (cause) {
    await rm(incoming, { force: true });
    throw new InputError(`cannot be written: ${(cause as Error).message}`, { file, cause });
  }
}
