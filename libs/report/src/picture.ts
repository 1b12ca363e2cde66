/** A worst case with its pictures, each a PNG file's bytes, as the model saw them. */
import type { WorstCase } from '@facet/contracts';

export interface Picture {
  readonly case: WorstCase;
  readonly original: Uint8Array;
  readonly adversarial: Uint8Array;
  /** Adversarial minus original, `amplification` times. */
  readonly difference: Uint8Array;
  readonly amplification: number;
}
