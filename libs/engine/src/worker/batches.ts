/** Cuts images into the batches that the plan fixes; last bits may depend on them, so nobody else chooses. */
import { borrow, dequantise, giveBack } from '@facet/adversary';
import type { Images } from './images.js';

export interface Cut {
  readonly from: number;
  readonly to: number;
  readonly n: number;
  readonly bytes: Uint8Array;
  /** [n, 3, height, width] in [0,1]; until the next batch is asked for. */
  readonly pixels: Float32Array;
}

export function* batchesOf({ n, bytes }: Images, batch: number): Generator<Cut> {
  const size = bytes.length / n;
  for (let from = 0; from < n; from += batch) {
    const to = Math.min(n, from + batch);
    const part = bytes.subarray(from * size, to * size);
    const pixels = dequantise(part, borrow(part.length));
    yield { from, to, n: to - from, bytes: part, pixels };
    giveBack(pixels);
  }
}
