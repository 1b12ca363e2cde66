/**
 * Training steps laid out in blocks of channels where ONNX Runtime convolves so. How many channels a block has depends on the
 * processor, and no interface says it; so the runtime is given numbered channels to reorder, and where they end up tells.
 */
import { bare, GraphBuilder, layInBlocks, type Model, modelOf, NCHWC, writeModel } from '@facet/onnx';
import ort from 'onnxruntime-node';
import { sessionOptions } from '../session-options.js';
import { PROVIDER } from './memory.js';

/** More channels than any block has. */
const CHANNELS = 64;

/** Undefined where the runtime knows no blocks on this processor. */
async function blockSize(): Promise<number | undefined> {
  const b = new GraphBuilder();
  b.input('x', 'float32', [1, CHANNELS, 1, 2]);
  b.nodes('ReorderInput', ['x'], {}, ['y'], NCHWC);
  b.output('y', 'float32', [1, CHANNELS, 1, 2]);
  const model = { ...modelOf(b.build('blocks')), domains: new Map([[NCHWC, 1]]) };
  // Even numbers stand at the first of two places: the second begins behind one block of them.
  const data = Float32Array.from({ length: 2 * CHANNELS }, (_, i) => i);
  try {
    const session = await ort.InferenceSession.create(writeModel(bare(model)), sessionOptions('fed', 'cpu'));
    const { y } = await session.run({ x: new ort.Tensor('float32', data, [1, CHANNELS, 1, 2]) });
    await session.release();
    const size = (y.data as Float32Array).indexOf(1);
    return size > 1 ? size : undefined;
  } catch {
    return undefined;
  }
}

let known: Promise<number | undefined> | undefined;

/** A graph whose weights are fed, as this processor computes it fastest, for batches of that size alone. */
export async function inBlocks(model: Model, batch: number): Promise<Model> {
  if (PROVIDER !== 'cpu') return model;
  known ??= blockSize();
  const size = await known;
  return size === undefined ? model : layInBlocks(model, size, batch);
}
