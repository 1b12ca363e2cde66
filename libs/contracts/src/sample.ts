/** One labelled face image, and datasets of them: as a folder that somebody gives us, and as stored shards. */
import { z } from 'zod';
import { Digest, Name, Version } from './names.js';
import { ATTRIBUTES, CLASSES, ILLUMINATIONS, SPLITS, SPOOF_TYPES } from './taxonomy.js';

/**
 * What is known about a sample. Absent means unknown: the sample then takes no part in that facet.
 * `attributes` are 0 or 1 in the order of {@link ATTRIBUTES}.
 */
export const SampleLabels = z
  .strictObject({
    label: z.enum(CLASSES),
    spoofType: z.enum(SPOOF_TYPES).optional(),
    illumination: z.enum(ILLUMINATIONS).optional(),
    attributes: z
      .array(z.union([z.literal(0), z.literal(1)]))
      .length(ATTRIBUTES.length)
      .optional(),
    subject: z.string().max(100).optional(),
  })
  .refine((s) => s.spoofType === undefined || (s.spoofType === 'live') === (s.label === 'live'), {
    path: ['spoofType'],
    message: 'contradicts `label`: spoofType "live" goes with label "live" and with no other',
  })
  .refine((s) => s.illumination !== 'live' || s.label === 'live', {
    path: ['illumination'],
    message: 'contradicts `label`: illumination "live" is for live samples only',
  });
export type SampleLabels = z.infer<typeof SampleLabels>;

/** A face box in pixels of the image after its orientation tag has been applied. */
export const Box = z.strictObject({
  x: z.number(),
  y: z.number(),
  width: z.number().positive(),
  height: z.number().positive(),
});
export type Box = z.infer<typeof Box>;

/** A sample's key inside a shard: unique in its dataset, safe in a tar entry's name. */
export const SampleKey = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,99}$/, 'must be letters, digits, _ and -');

/**
 * `dataset.json` in a folder of images: the form in which a person hands us labelled photographs. Without
 * `splits` of their own, samples stand in `test`.
 */
export const FolderManifest = z.strictObject({
  schema: z.literal('facet.folder/v1'),
  name: Name,
  version: Version,
  samples: z
    .array(
      SampleLabels.safeExtend({
        file: z.string().min(1).max(500),
        box: Box.optional(),
        split: z.enum(SPLITS).default('test'),
      }),
    )
    .min(1, 'has no samples'),
});
export type FolderManifest = z.infer<typeof FolderManifest>;

/** `datasets/<name>/<version>/manifest.json`: written last, so a dataset without it does not exist yet. */
export const DatasetManifest = z.strictObject({
  schema: z.literal('facet.dataset/v1'),
  name: Name,
  version: Version,
  description: z.string(),
  /** Size of the stored images; `native` where they keep the size that they came in (with a box to crop). */
  size: z.union([
    z.literal('native'),
    z.strictObject({ height: z.int().positive(), width: z.int().positive() }),
  ]),
  maps: z.array(z.enum(['depth', 'reflection'])),
  splits: z.record(
    z.enum(SPLITS),
    z.array(z.strictObject({ key: z.string(), samples: z.int().positive(), sha256: Digest })),
  ),
  /** Digest over all shards' digests: what an evaluation's identity stands on. */
  digest: Digest,
});
export type DatasetManifest = z.infer<typeof DatasetManifest>;
