/** Where a training's data come from. */
import type { Named } from './trainer.js';

/** Labels of some samples for one loss. */
export type Target =
  /** Class indices [n]. */
  | { readonly kind: 'classes'; readonly data: BigInt64Array }
  /** 0 or 1 each, [n, labels]. */
  | { readonly kind: 'multi-label'; readonly data: Float32Array }
  /** One map per sample in [0,1], [n, 1, height, width], laid over the whole image. */
  | { readonly kind: 'map'; readonly data: Float32Array; readonly height: number; readonly width: number };

export interface SampleBatch {
  /** [n, channels, height, width] in [0,1]. */
  readonly pixels: Float32Array;
  /** What the decision should be: 0 live, 1 spoof; [n]. */
  readonly labels: Uint8Array;
  readonly targets: Named<Target>;
  /** 1 where the sample has that label, else 0; [n]. */
  readonly masks: Named<Float32Array>;
}

/** A split. What `get` gives depends on the indices only; its arrays belong to the caller. */
export interface Samples {
  readonly n: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  get(indices: Uint32Array, signal?: AbortSignal): Promise<SampleBatch>;
}
