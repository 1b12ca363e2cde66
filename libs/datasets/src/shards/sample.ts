/** A sample as a shard holds it, and the sidecar `<key>.json` that says what is known about it. */
import { Box, SampleLabels } from '@facet/contracts';
import type { z } from 'zod';

export interface StoredSample {
  /** Matches `SampleKey` of the contracts: letters, digits, _ and -. */
  readonly key: string;
  /** Encoded image: PNG, RGB, eight bits. */
  readonly png: Uint8Array;
  readonly labels: SampleLabels;
  /** Where the face is, in pixels of that image; absent where the image is the face. */
  readonly box?: Box;
  /** Encoded maps: PNG, one channel, of any size. */
  readonly depth?: Uint8Array;
  readonly reflection?: Uint8Array;
}

/** `<key>.json`. */
export const SampleSidecar = SampleLabels.safeExtend({ box: Box.optional() });
export type SampleSidecar = z.infer<typeof SampleSidecar>;

/** In one fixed order of fields, since the shard's digest stands on these bytes. */
export function formatSidecar({ labels, box }: Pick<StoredSample, 'labels' | 'box'>): string {
  const { label, spoofType, illumination, attributes, subject } = labels;
  const corners = box && { x: box.x, y: box.y, width: box.width, height: box.height };
  return `${JSON.stringify({ label, spoofType, illumination, attributes, subject, box: corners })}\n`;
}
