/** Cuts images into the batches that the plan fixes; last bits may depend on them, so nobody else chooses. */
import { dequantise } from '@facet/adversary';
import type { Images } from './images.js';

export interface Cut {
  readonly from: number;
  readonly to: number;
  readonly n: number;
  readonly bytes: Uint8Array;
  /** [n, 3, height, width] in [0,1]. */
  readonly pixels: Float32Array;
}

export function* batchesOf({ n, bytes }: Images, batch: number): Generator<Cut> {
  const size = bytes.length / n;
  for (let from = 0; from < n; from += batch) {
    const to = Math.min(n, from + batch);
    const part = bytes.subarray(from * size, to * size);
    yield { from, to, n: to - from, bytes: part, pixels: dequantise(part) };
  }
}
