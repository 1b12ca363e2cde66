/** A model's manifest: everything about an ONNX file that its bytes do not say. Mistakes here fail silently. */
import { z } from 'zod';
import { Digest, FacetName, Name, Version } from './names.js';
import { TEXTURE } from './taxonomy.js';

const TensorName = z.string().min(1).max(500);
const Triple = z.tuple([z.number(), z.number(), z.number()]);

/** How an image becomes the model's input tensor. */
export const ModelInput = z.strictObject({
  name: TensorName,
  layout: z.literal('nchw').default('nchw'),
  height: z.int().min(8).max(1024),
  width: z.int().min(8).max(1024),
  colour: z.enum(['rgb', 'bgr']),
  /** The value that white has before mean and std are applied: 1 after a division by 255, 255 without. */
  white: z.union([z.literal(1), z.literal(255)]),
  /** In the unit of `white`, in the order of `colour`: value = (pixel * white - mean) / std. */
  mean: Triple.default([0, 0, 0]),
  std: Triple.default([1, 1, 1]).refine((std) => std.every((s) => s > 0), 'must be positive'),
});

/** How a face box becomes the square or rectangle that is resized to the input. */
export const ModelCrop = z.strictObject({
  /** Side of the crop over the side of the box. */
  scale: z.number().min(0.5).max(8),
  /** Grow the shorter side of the box to the longer one before scaling. */
  square: z.boolean(),
  /** What stands where the crop leaves the image; `shift` moves it back inside. */
  outside: z.enum(['zero', 'reflect', 'shift']),
  /** `area` averages when shrinking and takes Lanczos when enlarging. */
  interpolation: z.enum(['bilinear', 'area']),
});
export type ModelCrop = z.infer<typeof ModelCrop>;

/** What the decision tensor holds. The score is high for live in every case. */
export const ModelOutput = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.enum(['logits', 'probabilities']),
    name: TensorName,
    classes: z.int().min(2).max(100),
    /** Indices of the classes that count as live; all others count as spoof. */
    live: z.array(z.int().min(0)).min(1),
  }),
  z.strictObject({
    /** One number per sample: a logit, or its sigmoid. */
    kind: z.enum(['logit', 'sigmoid']),
    name: TensorName,
    high: z.enum(['live', 'spoof']),
  }),
  z.strictObject({ kind: z.literal('map'), name: TensorName, high: z.enum(['live', 'spoof']) }),
]);
export type ModelOutput = z.infer<typeof ModelOutput>;

/** What a facet's head gives: class logits, one logit per attribute, or a map in [0,1]. */
export const FacetHead = z.strictObject({
  output: TensorName,
  kind: z.enum(['classes', 'multi-label', 'map']),
});

/**
 * A facet of the model. With a head it is attacked through the head's own loss. Without one, a linear probe is
 * fitted on `feature` where the dataset has labels of that name; otherwise it is a plain tensor of the graph,
 * whose own loss is its distance from the clean feature.
 */
export const ModelFacet = z.strictObject({ feature: TensorName, head: FacetHead.optional() });
export type ModelFacet = z.infer<typeof ModelFacet>;

export const ModelManifest = z
  .strictObject({
    schema: z.literal('facet.model/v1'),
    name: Name,
    version: Version,
    description: z.string().max(2000).optional(),
    licence: z.string().max(200).optional(),
    input: ModelInput,
    crop: ModelCrop.optional(),
    output: ModelOutput,
    facets: z.record(FacetName, ModelFacet).default({}),
    /** A mid-depth feature map for the texture term; found by itself where it is absent. */
    texture: TensorName.optional(),
    /** Decide at this score instead of the threshold found on the dev split. */
    threshold: z.number().optional(),
    /** When present the model's bytes must have it. */
    sha256: Digest.optional(),
  })
  .superRefine((m, ctx) => {
    if (Object.hasOwn(m.facets, TEXTURE))
      ctx.addIssue({
        code: 'custom',
        path: ['facets', TEXTURE],
        message: 'is the name of the texture, not of a facet',
      });
    if (!('classes' in m.output)) return;
    const { classes, live } = m.output;
    live.forEach((index, i) => {
      if (index >= classes)
        ctx.addIssue({
          code: 'custom',
          path: ['output', 'live', i],
          message: `is ${index}, but there are only ${classes} classes`,
        });
    });
    if (new Set(live).size >= classes)
      ctx.addIssue({ code: 'custom', path: ['output', 'live'], message: 'leaves no class for spoof' });
  });
export type ModelManifest = z.infer<typeof ModelManifest>;
